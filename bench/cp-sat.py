"""A placement by CP-SAT (OR-tools): a problem as JSON on stdin, what it found as JSON on stdout. Amounts are whole numbers."""
import json
import sys
import time

from ortools.sat.python import cp_model

problem = json.load(sys.stdin)
items, hosts = problem["items"], problem["hosts"]
model = cp_model.CpModel()
there = [[model.new_bool_var("") for _ in hosts] for _ in items]
used = [model.new_bool_var("") for _ in hosts]
for index, item in enumerate(items):
    model.add_exactly_one(there[index])
    for host in range(len(hosts)):
        if item.get("only") is not None and host not in item["only"]:
            model.add(there[index][host] == 0)
shares = problem["goal"] == "share"
most = model.new_int_var(0, 1_000_000, "")
for at, host in enumerate(hosts):
    for resource, has in enumerate(host["has"]):
        taken = sum(item["takes"][resource] * there[index][at] for index, item in enumerate(items))
        model.add(taken <= has * used[at])
        if shares:
            model.add(1_000_000 * taken <= has * most)
for one, other in problem["together"]:
    for host in range(len(hosts)):
        model.add(there[one][host] == there[other][host])
for one, other in problem["apart"]:
    for host in range(len(hosts)):
        model.add(there[one][host] + there[other][host] <= 1)
alike = len({tuple(host["has"]) for host in hosts}) == 1 and all(item.get("only") is None for item in items)
if not shares and not problem["near"] and alike:
    for host in range(1, len(hosts)):
        model.add_implication(used[host], used[host - 1])
model.minimize(most if shares else sum(used))
solver = cp_model.CpSolver()
solver.parameters.max_time_in_seconds = problem["limitSeconds"]
solver.parameters.num_workers = 2
began = time.process_time()
status = solver.solve(model)
found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
bound = solver.best_objective_bound
json.dump(
    {
        "placement": [next(h for h, var in enumerate(row) if solver.value(var)) for row in there] if found else None,
        "bound": bound / 1_000_000 if shares else bound,
        "proven": status == cp_model.OPTIMAL,
        "seconds": time.process_time() - began,
    },
    sys.stdout,
)
