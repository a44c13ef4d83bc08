"""Makes oracles.json: python3 oracles.py > oracles.json, with scipy, numpy and ruptures from PyPI."""
import json, sys
import numpy as np
from scipy import stats
rng=np.random.default_rng(7)
out={"madeWith":"scipy "+__import__("scipy").__version__+", numpy "+np.__version__+"; test/analysis/oracles.py"}
def r(a): return [round(float(x),4) for x in a]
cases=[]
sets=[(rng.normal(10,1,5),rng.normal(11,1,5)),(rng.normal(0,1,3),rng.normal(4,1,3)),(rng.exponential(1,12),rng.exponential(1.6,15)),(np.array([1,2,2,3,3.]),np.array([2,3,4,4,5,6.])),(rng.normal(0,1,40),rng.normal(.5,1,45)),(np.array([.80,.83,1.89,1.04,1.45,1.38,1.91,1.64,.73,1.46]),np.array([1.15,.88,.90,.74,1.21]))]
for a,b in sets:
    a=np.round(a,4);b=np.round(b,4)
    ties=len(set(a)|set(b))<len(a)+len(b)
    n,m=len(a),len(b)
    if n+m<=60 and not ties:
        res=stats.mannwhitneyu(a,b,method='exact')
    elif n+m<=60:
        def stat(x,y,axis=-1):
            return stats.mannwhitneyu(x,y,axis=axis,method='asymptotic').statistic
        u=stats.mannwhitneyu(a,b).statistic
        # exact conditional distribution by full enumeration
        from itertools import combinations
        allv=np.concatenate([a,b]); rk=stats.rankdata(allv); mu=n*(n+m+1)/2; obs=abs(rk[:n].sum()-mu)
        c=[abs(sum(rk[list(k)])-mu)>=obs-1e-9 for k in combinations(range(n+m),n)]
        class R: pass
        res=R(); res.statistic=u; res.pvalue=sum(c)/len(c)
    else:
        res=stats.mannwhitneyu(a,b,method='asymptotic',use_continuity=True)
    d=np.sort((a[:,None]-b[None,:]).ravel())
    hl=float(np.median(d))
    # interval: largest C with P(U<=C-1)<=.025, exact null distribution without ties
    ci=None
    if n+m<=60:
        from functools import lru_cache
        @lru_cache(None)
        def cnt(u,n_,m_):
            if u<0 or n_<0 or m_<0: return 0
            if n_==0 or m_==0: return 1 if u==0 else 0
            return cnt(u-m_,n_-1,m_)+cnt(u,n_,m_-1)
        tot=sum(cnt(u,n,m) for u in range(n*m+1)); cum=0;C=0
        for u in range(n*m+1):
            cum+=cnt(u,n,m)/tot
            if cum<=0.025: C=u+1
            else: break
        Ceff=max(C,1)
        conf=1-2*sum(cnt(u,n,m) for u in range(Ceff))/tot
        ci=[float(d[Ceff-1]),float(d[n*m-Ceff]),float(conf)]
    delta=float((np.sign(a[:,None]-b[None,:])).mean())
    cases.append(dict(a=r(a),b=r(b),u=float(res.statistic),p=float(res.pvalue),hodgesLehmann=hl,interval=ci,cliffsDelta=delta))
out["twoSamples"]=cases
out["studentQuantiles"]=[dict(p=p,df=df,t=float(stats.t.ppf(p,df))) for p in (.6,.9,.975,.995) for df in (1,2,2.7,5,29,200)]
ps=[.01,.04,.03,.005,.5]
# Holm by definition
o=np.argsort(ps);adj=[0]*5;run=0
for i,k in enumerate(o):
    run=max(run,min(1,(5-i)*ps[k]));adj[k]=run
out["holm"]=dict(p=ps,adjusted=adj)
q=[]
for n,p in ((10,.5),(100,.9),(1000,.99),(5000,.999),(20,.99),(299,.99),(400,.99),(100000,.9999)):
    al=.025
    # l: largest rank with P(X_(l) > q)=P(B<=l-1)<=al ; u: smallest with P(B<=u-1)>=1-al
    cdf=lambda k: stats.binom.cdf(k,n,p)
    l=int(stats.binom.ppf(al,n,p)); 
    while l>0 and cdf(l-1)>al: l-=1
    while cdf(l)<=al: l+=1
    u=1
    u=int(stats.binom.ppf(1-al,n,p))+1
    while u>1 and cdf(u-2)>=1-al: u-=1
    q.append(dict(n=n,p=p,low=l if l>=1 else None,high=u if u<=n else None))
out["quantileRanks"]=q
# change points: ruptures PELT l2
import ruptures as rpt
cps=[]
for seg in ([(0,30),(5,40),(5.0,10)],[(10,25),(12,25),(9,30)],[(1,60)]):
    s=np.concatenate([rng.normal(m,0.7,k) for m,k in seg]); s=np.round(s,4)
    pen=3*np.log(len(s))*.49
    c=rpt.Pelt(model="l2",min_size=2,jump=1).fit(s).predict(pen=pen)[:-1]
    cps.append(dict(values=r(s),penalty=float(pen),changes=[int(x) for x in c]))
out["changePoints"]=cps
# weighted least squares by numpy
x=np.array([0,0,1000,1000,4000,4000,16000,16000.]);y=np.array([6.1,6.3,14.9,15.4,42.5,41.8,150.2,151.9]);w=1/np.array([6.2,6.2,15.15,15.15,42.15,42.15,151.05,151.05])**2
A=np.c_[np.ones(8),x];W=np.diag(w);beta=np.linalg.solve(A.T@W@A,A.T@W@y);rss=float(w@(y-A@beta)**2);cov=np.linalg.inv(A.T@W@A)*rss/6
k=3;n=8
out["weightedLine"]=dict(x=x.tolist(),y=y.tolist(),w=w.tolist(),coefficients=beta.tolist(),rss=rss,covariance=cov.tolist(),aicc=float(n*np.log(rss/n)+2*k+2*k*(k+1)/(n-k-1)))
# hinge fit of thesis table 4.9 by brute force
X=np.array([10,15,20,25,30,35,40,45])*1e3;Y=np.array([9857.7,13567.3,17865.2,17862.2,18723.7,18963.9,19382.8,19688])
best=None
for c in np.linspace(15000,40000,20001):
    A=np.c_[np.ones(8),X,np.maximum(0,X-c)];b,_,_,_=np.linalg.lstsq(A,Y,rcond=None);rs=((Y-A@b)**2).sum()
    if best is None or rs<best[0]: best=(rs,c,b)
out["kneeTable49"]=dict(at=float(best[1]),below=float(best[2][1]),past=float(best[2][1]+best[2][2]))
# power with intercept by curve_fit
from scipy.optimize import curve_fit
xs=np.array([0,500,1000,2000,4000,8000,16000.]); ys=5+0.002*xs**1.2
ys=ys*(1+np.round(rng.normal(0,.01,7),5)); ys=np.round(ys,4)
p,_=curve_fit(lambda x,a,b,c:a+b*np.power(x,c),xs,ys,p0=[5,.002,1.2],sigma=ys,absolute_sigma=False,maxfev=20000)
out["power"]=dict(x=xs.tolist(),y=ys.tolist(),intercept=p[0],slope=p[1],exponent=p[2])
# t interval
v=np.round(rng.normal(100,3,12),3)
out["tInterval"]=dict(values=r(v),low=float(stats.t.interval(.95,11,v.mean(),stats.sem(v))[0]),high=float(stats.t.interval(.95,11,v.mean(),stats.sem(v))[1]))
json.dump(out, sys.stdout, indent=1)
