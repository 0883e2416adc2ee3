"""Charts as SVG, by hand: standard library only, equal values make equal bytes.

Text is dark on white of its own, so that it is read on any page.
"""

import math

WIDTH, LEFT, BAR, GAP, TOP = 760, 190, 22, 8, 56
OURS, OTHER, GOAL, DARK, SOFT = "#1f6feb", "#9aa4b2", "#cf222e", "#24292f", "#57606a"


def escaped(text):
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def frame(title, note, height, parts):
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13" fill="{DARK}">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        f'<text x="12" y="22" font-size="16" font-weight="bold">{escaped(title)}</text>',
        f'<text x="12" y="41" font-size="12" fill="{SOFT}">{escaped(note)}</text>',
        *parts, "</svg>", ""])


def bars(title, note, rows, goal=None, text="{:g}", logarithmic=False):
    """rows: (name, value, whether it is ours). goal: a value that a line marks."""
    high = max([value for _, value, _ in rows] + [goal or 0, 1e-9])

    def length_of(value):
        room = WIDTH - LEFT - 90
        if logarithmic:
            return room * math.log10(1 + value) / math.log10(1 + high)
        return room * value / high

    parts = []
    for index, (name, value, ours) in enumerate(rows):
        y, length = TOP + index * (BAR + GAP), length_of(value)
        parts += [f'<text x="{LEFT - 8}" y="{y + 16}" text-anchor="end">{escaped(name)}</text>',
                  f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}" '
                  f'fill="{OURS if ours else OTHER}"/>',
                  f'<text x="{LEFT + length + 6:.1f}" y="{y + 16}">{text.format(value)}</text>']
    bottom = TOP + len(rows) * (BAR + GAP)
    if goal is not None:
        x = LEFT + length_of(goal)
        parts += [f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" '
                  f'stroke="{GOAL}" stroke-dasharray="4 3"/>',
                  f'<text x="{x:.1f}" y="{bottom + 13}" text-anchor="middle" font-size="12" '
                  f'fill="{GOAL}">goal {text.format(goal)}</text>']
    return frame(title, note, bottom + (24 if goal is not None else 12), parts)


def step_of(high):
    """A round distance that gives four to eight marks."""
    raw = high / 6
    unit = 10 ** math.floor(math.log10(raw))
    return next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw)


class Plane:
    """Maps values to places of a plot from 0 to the largest, both ways."""

    LEFT, TOP, WIDE, HIGH = 70, 76, 640, 260

    def __init__(self, x_max, y_max):
        self.x_max, self.y_max = x_max, y_max

    def x(self, value):
        return self.LEFT + self.WIDE * value / self.x_max

    def y(self, value):
        return self.TOP + self.HIGH * (1 - value / self.y_max)

    def axes(self, x_marks, x_name, y_name):
        bottom, right = self.TOP + self.HIGH, self.LEFT + self.WIDE
        parts = []
        step = step_of(self.y_max)
        for index in range(int(self.y_max / step + 1e-9) + 1):
            y = self.y(index * step)
            parts += [f'<line x1="{self.LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" '
                      f'stroke="#d0d7de"/>',
                      f'<text x="{self.LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">'
                      f'{index * step:g}</text>']
        for mark in x_marks:
            parts.append(f'<text x="{self.x(mark):.1f}" y="{bottom + 18}" '
                         f'text-anchor="middle">{mark:g}</text>')
        return parts + [
            f'<text x="{(self.LEFT + right) / 2:.1f}" y="{bottom + 36}" text-anchor="middle" '
            f'fill="{SOFT}">{escaped(x_name)}</text>',
            f'<text x="18" y="{self.TOP + self.HIGH / 2:.1f}" text-anchor="middle" fill="{SOFT}" '
            f'transform="rotate(-90 18 {self.TOP + self.HIGH / 2:.1f})">{escaped(y_name)}</text>']


def line(title, note, points, ideal, names):
    """points, ideal: [(x, y)] as measured and as one would wish. names: of x, y and the ideal."""
    plane = Plane(max(x for x, _ in points), max(y for _, y in points + ideal) * 1.05)
    parts = plane.axes([x for x, _ in points], names[0], names[1])

    def path(values, colour, dashes=""):
        places = " ".join(f"{plane.x(x):.1f},{plane.y(y):.1f}" for x, y in values)
        return (f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"'
                f'{dashes}/>')

    parts.append(path(ideal, OTHER, ' stroke-dasharray="4 3"'))
    parts.append(path(points, OURS))
    for x, y in points:
        parts.append(f'<circle cx="{plane.x(x):.1f}" cy="{plane.y(y):.1f}" r="4" fill="{OURS}"/>')
    legend = Plane.TOP - 8
    parts += [f'<line x1="80" y1="{legend - 4}" x2="104" y2="{legend - 4}" stroke="{OURS}" '
              f'stroke-width="2"/>', f'<text x="110" y="{legend}">measured</text>',
              f'<line x1="190" y1="{legend - 4}" x2="214" y2="{legend - 4}" stroke="{OTHER}" '
              f'stroke-width="2" stroke-dasharray="4 3"/>',
              f'<text x="220" y="{legend}">{escaped(names[2])}</text>']
    return frame(title, note, Plane.TOP + Plane.HIGH + 48, parts)
