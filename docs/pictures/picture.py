#!/usr/bin/env python3
# Draws what a command leaves on a terminal's screen, as an SVG.
#
# Usage: picture.py FILE COLUMNS COMMAND...    needs pyte and rich (pip install pyte rich)
#
#   diagnostic.svg   picture.py diagnostic.svg 100 kubefarm render -f mistake.yaml
#   apply.svg        in a cluster of `make cluster-up`: picture.py apply.svg 100 kubefarm apply ...
import os
import pty
import shlex
import sys

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

# More than any of the commands writes.
LINES = 60
NAMES = {"brown": "yellow", "default": "default"}


def screen_of(command, columns):
    """Runs it on a terminal of its own, and gives the screen that it leaves."""
    screen = pyte.Screen(columns, LINES)
    stream = pyte.ByteStream(screen)

    def read(terminal):
        data = os.read(terminal, 65536)
        stream.feed(data)
        return data

    os.environ.update({"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(LINES)})
    pty.spawn(["sh", "-c", f"stty cols {columns} rows {LINES}; exec {shlex.join(command)}"], read)
    return screen


def colour(name):
    if name.startswith("bright"):
        return "bright_" + NAMES.get(name[6:], name[6:])
    return NAMES.get(name, name if len(name) != 6 or not all(c in "0123456789abcdef" for c in name) else "#" + name)


def drawn(screen):
    """Its lines with their colours, without the empty ones at the end."""
    lines = []
    for row in range(LINES):
        line = Text()
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            style = Style(color=colour(cell.fg), bold=cell.bold, underline=cell.underscore, italic=cell.italics)
            line.append(cell.data, style)
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def main():
    if len(sys.argv) < 4:
        sys.exit("usage: picture.py FILE COLUMNS COMMAND...")
    file, columns, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    console = Console(width=columns, record=True, file=open(os.devnull, "w"), force_terminal=True)
    console.print(Text("$ " + shlex.join([os.path.basename(command[0]), *command[1:]]), style="bold"))
    for line in drawn(screen_of(command, columns)):
        console.print(line, no_wrap=True, overflow="crop")
    console.save_svg(file, title=os.path.basename(command[0]), unique_id=os.path.basename(file).split(".")[0])


main()
