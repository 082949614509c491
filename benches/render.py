#!/usr/bin/env python3
"""How long `kubefarm render` takes as a whole process, and how much memory, beside Helm and Kustomize.

Usage: benches/render.py [--nodes 10,1000,10000,100000] [--tools NAME,...] [--runs N] [--kubefarm PROGRAM]

Every tool gives the objects of one farm with this many nodes. Kustomize has no templates: it is given the finished
objects, and puts a label on them. Prints a Markdown table: the median of the time that passes from start to end, the
median of the processors' time, and the peak memory. Run as root, it gives what it measures priority over whatever
else the machine does. Helm and kustomize are those on PATH, or built from the Go modules that are pinned here.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "kubefarm"
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.7.1"
# A tool that takes longer than this for a farm is measured once, and with no larger one.
LONG = 20.0

FARM = """\
kubernetes:
  networking:
    podsAreRouted: false
  apiServer:
    service:
      loadBalancerIP: 10.200.0.10
ltsp:
  service:
    loadBalancerIP: 10.200.0.11
  config:
    rootPasswd: "*"
tags:
  dhcpOptions:
    all:
      router: 172.16.0.1
  kubernetesLabels:
    compute:
      example.org/rack: r1
"""


def values(nodes):
    """A farm with so many nodes in one pool, written as the examples are."""
    lines = [FARM + "nodePools:", "  - range: 172.16.0.0,static,255.240.0.0,172.31.255.255,infinite"]
    lines += ["    tags:", "      - compute", "    nodes:"]
    for number in range(1, nodes + 1):
        mac = f"02:00:00:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
        address = f"172.{16 + number // 62500}.{number // 250 % 250}.{number % 250 + 2}"
        lines += [f"      - name: n{number:06}", f"        mac: {mac}", f"        ip: {address}"]
    return "\n".join(lines) + "\n"


def run(command, output=subprocess.DEVNULL):
    """Seconds that passed, seconds of processors, and KiB at the peak, of one whole process."""

    def first():
        if os.geteuid() == 0:
            os.setpriority(os.PRIO_PROCESS, 0, -20)

    start = time.monotonic()
    process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, preexec_fn=first)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    passed = time.monotonic() - start
    if status != 0:
        sys.exit(f"{command}: {error.decode(errors='replace')}")
    return passed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measured(command, runs):
    """The medians of several runs."""
    done = [run(command)]
    while len(done) < runs and done[0][0] < LONG:
        done.append(run(command))
    return [statistics.median(column) for column in zip(*done)]


def chart_of(folder, objects):
    """The benchmark's chart with a farm's other objects as a template, which Helm has nothing to compute in."""
    chart = folder / "chart"
    shutil.copytree(PROJECT / "benches/chart", chart)
    text = objects.replace("{{", '{{ "{{" }}').replace("kubefarm-kubernetes", "{{ .Release.Name }}-kubernetes")
    (chart / "templates/farm.yaml").write_text(text)
    return chart


def kustomization_of(folder, objects):
    (folder / "kustomization").mkdir()
    (folder / "kustomization/objects.yaml").write_text(objects)
    (folder / "kustomization/kustomization.yaml").write_text(
        "resources: [objects.yaml]\nlabels: [{pairs: {example.org/owner: me}}]\n"
    )
    return folder / "kustomization"


def without_nodes(objects):
    """The documents that are about no node; the chart of the benchmark has templates for the others."""
    documents = objects.split("---\n")
    return "---\n".join(one for one in documents if "kind: DhcpHosts" not in one and "-nodes-" not in one)


def program(name):
    """A tool of the table: the one on PATH, else built; `None` where neither can be had."""
    found = shutil.which(name)
    if found:
        return pathlib.Path(found)
    if name == "helm":
        built = subprocess.run([PROJECT / "tests/cluster/build.sh", "helm"], stdout=subprocess.PIPE, text=True)
        return pathlib.Path(built.stdout.strip()) / "bin/helm" if built.returncode == 0 else None
    path = CACHE / "benches" / name
    if not path.exists() and shutil.which("go"):
        build = ["go", "install", "-ldflags=-s -w", KUSTOMIZE]
        environment = os.environ | {"GOBIN": str(path.parent), "CGO_ENABLED": "0", "GOTOOLCHAIN": "auto"}
        subprocess.run(build, env=environment, check=False)
    return path if path.exists() else None


def kubefarm_program():
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=PROJECT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")
    return pathlib.Path(target) / "release/kubefarm"


def size_of(command, folder):
    """How many objects a tool gives, and how many MiB of text."""
    path = folder / "output"
    with open(path, "wb") as file:
        run(command, file)
    text = path.read_text()
    return sum(line.startswith("kind: ") for line in text.splitlines()), len(text) / (1 << 20)


def row(nodes, tool, command, runs, folder):
    objects, size = size_of(command, folder)
    passed, used, peak = measured(command, runs)
    print(
        f"| {nodes:,} | {tool} | {passed * 1000:,.1f} ms | {used * 1000:,.1f} ms "
        f"| {peak / 1024:,.0f} MiB | {objects} | {size:.1f} MiB |",
        flush=True,
    )
    return passed


def commands(nodes, tools, folder):
    """How each tool is called for a farm of so many nodes."""
    path = folder / "values.yaml"
    path.write_text(values(nodes))
    render = [tools["kubefarm"], "render", "-f", path]
    objects = subprocess.run(render, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    calls = {"kubefarm": render}
    if "helm" in tools:
        chart = chart_of(folder, without_nodes(objects))
        calls["helm"] = [tools["helm"], "template", "kubefarm", chart, "-f", path]
    if "kustomize" in tools:
        calls["kustomize"] = [tools["kustomize"], "build", kustomization_of(folder, objects)]
    return calls


def main():
    options = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    options.add_argument("--nodes", default="10,1000,10000,100000")
    options.add_argument("--tools", default="kubefarm,helm,kustomize")
    options.add_argument("--runs", type=int, default=11)
    options.add_argument("--kubefarm", type=pathlib.Path)
    given = options.parse_args()
    tools = {"kubefarm": given.kubefarm or kubefarm_program()}
    for name in given.tools.split(","):
        if name != "kubefarm":
            path = program(name)
            if path:
                tools[name] = path
            else:
                print(f"{name} cannot be built here and is left out", file=sys.stderr)
    print("| nodes | tool | time | processors | peak memory | objects | output |\n|--:|:--|--:|--:|--:|--:|--:|")
    slow = set()
    for nodes in map(int, given.nodes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            calls = commands(nodes, tools, pathlib.Path(folder))
            for tool, command in calls.items():
                if tool in slow:
                    continue
                if row(nodes, tool, command, given.runs, pathlib.Path(folder)) > LONG:
                    slow.add(tool)


if __name__ == "__main__":
    main()
