"""Runs hatchery smoketest, and says what is not as expected.

    deadends.py HATCHERY REPORT [ARG...]

Every scenario is run three times. Controls that fail are dead ends that may have come
alive; what else fails is broken. REPORT is written, as Markdown, when there is
something to say; the exit code is then 1.
"""

import json
import subprocess
import sys

ROUNDS = 3


def run(hatchery, args):
    done = subprocess.run([hatchery, "smoketest", "--json", *args], stdout=subprocess.PIPE, timeout=280)
    return json.loads(done.stdout)


def report(go, kernel, alive, broken):
    title = "A dead end has come alive" if alive else "A smoke test fails"
    yield f"# {title}: {go}"
    yield f"\nSeen with {go} on {kernel}, in each or some of {ROUNDS} runs of `hatchery smoketest`."
    for heading, failed in ("Controls that did not break", alive), ("Other scenarios", broken):
        if not failed:
            continue
        yield f"\n## {heading}\n"
        for s in failed.values():
            yield f"- `{s['name']}`, {s['outcome']}: expected {s['expected']}; observed {s['observed']}"
            yield f"  What to look at is in docs/analysis/{s['analysis']}.md, under *What would unblock it*."


def main():
    hatchery, path, args = sys.argv[1], sys.argv[2], sys.argv[3:]
    alive, broken, about = {}, {}, {}
    for _ in range(ROUNDS):
        about = run(hatchery, args)
        for s in about["scenarios"]:
            print(f"[{s['outcome']}] {s['name']}: {s['observed']}")
            if s["outcome"] != "PASS":
                control = s["kind"] == "control" and s["outcome"] == "FAIL"
                (alive if control else broken)[s["name"]] = s
    if not alive and not broken:
        return 0
    with open(path, "w") as out:
        print("\n".join(report(about["go"], about["kernel"], alive, broken)), file=out)
    print(f"::error::{open(path).readline()[2:].strip()}")
    return 1


sys.exit(main())
