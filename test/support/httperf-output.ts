/** What httperf 0.9 printed at the end of a run, with a figure of its own for every failure. */
export const httperfOutput = `httperf --hog --timeout=5 --client=0/1 --server=127.0.0.1 --port=18099 --uri=/ --rate=50 --num-conns=300 --num-calls=4
Maximum connect burst length: 1

Total: connections 300 requests 1200 replies 1188 test-duration 5.981 s

Connection rate: 50.2 conn/s (19.9 ms/conn, <=4 concurrent connections)
Connection time [ms]: min 0.2 avg 2.6 max 74.3 median 0.5 stddev 7.6
Connection time [ms]: connect 0.1
Connection length [replies/conn]: 4.000

Request rate: 200.6 req/s (5.0 ms/req)
Request size [B]: 62.0

Reply rate [replies/s]: min 199.2 avg 200.0 max 200.8 stddev 1.1 (2 samples)
Reply time [ms]: response 0.6 transfer 0.2
Reply size [B]: header 122.0 content 5.0 footer 0.0 (total 127.0)
Reply status: 1xx=0 2xx=1180 3xx=1 4xx=3 5xx=4

CPU time [s]: user 1.43 system 3.71 (user 23.9% system 62.0% total 85.9%)
Net I/O: 37.0 KB/s (0.3*10^6 bps)

Errors: total 36 client-timo 1 socket-timo 2 connrefused 3 connreset 4
Errors: fd-unavail 5 addrunavail 6 ftab-full 7 other 8
`;
