"""Turns the output of `go test -json`, read from standard input, into what
plain `go test` prints, and adds the list of skipped tests, with their
reasons, to the file that is named in the first argument."""

import collections
import json
import re
import sys


def main(skip_file):
    output = collections.defaultdict(list)  # by package and test
    skipped = []
    for line in sys.stdin:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            print(line, end="", flush=True)  # not an event: the go command itself speaks
            continue
        action = event.get("Action")
        package, test = event.get("Package", ""), event.get("Test", "")
        if action == "build-output":
            print(event.get("Output", ""), end="", flush=True)
        elif action == "output":
            output[package, test].append(event.get("Output", ""))
        elif action == "skip" and test:
            skipped.append((package, test, reason(output.pop((package, test), []))))
        elif action == "fail" and test:
            show(output.pop((package, test), []))
        elif action == "pass" and test:
            output.pop((package, test), None)
        elif action in ("pass", "fail", "skip"):
            close(package, action, output)
    write(skip_file, skipped)


def show(lines):
    for line in lines:
        if not re.match(r"=== (RUN|PAUSE|CONT|NAME) ", line):
            print(line, end="")
    sys.stdout.flush()


def close(package, action, output):
    """Prints the end of a package: its closing line, and when it failed all
    that was said, that of tests that were cut off included."""
    lines = output.pop((package, ""), [])
    cut_off = [key for key in output if key[0] == package]
    if action == "fail":
        for key in cut_off:
            show(output[key])
        show(lines)
    else:
        show([line for line in lines if re.match(r"ok  \t|\?   \t|\t", line)][-1:])
    for key in cut_off:
        del output[key]


def reason(lines):
    """Returns what t.Skip said, on one line and without the file."""
    said = [line.strip() for line in lines if not re.match(r"=== |\s*--- ", line)]
    return re.sub(r"^\S+\.go:\d+:\s*", "", " ".join(filter(None, said)))


def write(skip_file, skipped):
    with open(skip_file, "a", encoding="utf-8") as f:
        print("skipped tests: %d" % len(skipped), file=f)
        for package, test, why in sorted(skipped):
            print("  %s %s: %s" % (package, test, why or "no reason given"), file=f)


main(sys.argv[1])
