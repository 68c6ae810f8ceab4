#!/usr/bin/env python3
"""Draws curves of runs as a small SVG file. Only Python's standard library.

  scripts/plot_curves.py OUT.svg --title TEXT [--x TEXT] [--y TEXT] [--smooth N] [--x-key KEY] [--every N] [--from-step N] [--log] LABEL=RUN:METRIC ...

RUN is a run's folder (its metrics/metrics.jsonl is read), a .jsonl file, or what `r1 bench` printed (key=value words); METRIC one of its
keys, --x-key the other one ("step" unless given).
--smooth takes the mean of the N steps up to each; --every draws each N-th point.
"""

import argparse
import html
import json
import math
import pathlib
import re
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 64, 16, 40, 48
COLOURS = ["#1f5fa8", "#c8501e", "#2f8f4e", "#7a4fa3", "#8a6d1c", "#555555"]


def fields(line):
    if line.startswith("{"):
        return json.loads(line)
    return {key: float(value) for key, value in re.findall(r"(\S+)=([0-9.eE+-]+)(?=\s|$)", line)}


def read(place, metric, x_key):
    path = pathlib.Path(place)
    if path.is_dir():
        path = path / "metrics" / "metrics.jsonl"
    points = {}
    for line in path.read_text().splitlines():
        row = fields(line)
        if row.get(metric) is not None:
            points[row[x_key]] = row[metric]
    if not points:
        sys.exit(f"{path}: no metric {metric}")
    return sorted(points.items())


def smoothed(points, count):
    values = [v for _, v in points]
    return [(x, sum(values[max(0, i - count + 1):i + 1]) / min(count, i + 1)) for i, (x, _) in enumerate(points)]


def ticks(low, high, wanted=6):
    """Round numbers from low to high."""
    step = 10 ** math.floor(math.log10((high - low) / wanted))
    step *= min((m for m in (1, 2, 5, 10) if (high - low) / (step * m) <= wanted), default=10)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def number(x):
    return f"{x:.6g}"


def draw(curves, a):
    scale = math.log10 if a.log else float
    xs = [x for _, points in curves for x, _ in points]
    ys = [scale(y) for _, points in curves for _, y in points]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    if not a.log and 0 < y0 < 0.5 * y1:
        y0 = 0.0
    x1, y1 = max(x1, x0 + 1), y1 if y1 > y0 else y0 + 1

    def px(x):
        return LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def py(y):
        return HEIGHT - BOTTOM - (scale(y) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="20" font-size="14" fill="#222222">{html.escape(a.title)}</text>']
    y_ticks = [10 ** t for t in ticks(y0, y1)] if a.log else ticks(y0, y1)
    for y in y_ticks:
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{py(y):.1f}" y2="{py(y):.1f}" stroke="#dddddd"/>'
                   f'<text x="{LEFT - 6}" y="{py(y) + 4:.1f}" text-anchor="end" fill="#444444">{number(y)}</text>')
    for x in ticks(x0, x1):
        out.append(f'<text x="{px(x):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#444444">{number(x)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle" fill="#222222">{html.escape(a.x)}</text>')
    out.append(f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" fill="#222222" '
               f'transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2})">{html.escape(a.y)}</text>')
    for i, (label, points) in enumerate(curves):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        out.append(f'<text x="{WIDTH - RIGHT - 8}" y="{TOP + 14 + 16 * i}" text-anchor="end" fill="{colour}">{html.escape(label)}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("curves", nargs="+")
    p.add_argument("--title", required=True)
    p.add_argument("--x", default="step")
    p.add_argument("--y", default="")
    p.add_argument("--x-key", default="step")
    p.add_argument("--smooth", type=int, default=1)
    p.add_argument("--every", type=int, default=1)
    p.add_argument("--from-step", type=int, default=0)
    p.add_argument("--log", action="store_true")
    a = p.parse_args()
    curves = []
    for curve in a.curves:
        label, _, source = curve.partition("=")
        place, _, metric = source.rpartition(":")
        points = [point for point in smoothed(read(place, metric, a.x_key), a.smooth) if point[0] >= a.from_step]
        curves.append((label, points[::a.every] + (points[-1:] if (len(points) - 1) % a.every else [])))
    a.out.parent.mkdir(parents=True, exist_ok=True)
    a.out.write_text(draw(curves, a))


if __name__ == "__main__":
    main()
