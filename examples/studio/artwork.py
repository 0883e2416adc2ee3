"""What is printed: labels and logo of Ondelune, a brand that does not exist, drawn by Cairo."""

import math

import cairo

WORDMARK = "Quattrocento"
SMALL = "Inter"
INK = (0.97, 0.93, 0.86)


def canvas(width, height):
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, width, height)
    return surface, cairo.Context(surface)


def spaced(context, text, x, y, size, family, tracking, weight=cairo.FONT_WEIGHT_NORMAL):
    """Text centred at x with its baseline at y, `tracking` ems between letters."""
    context.select_font_face(family, cairo.FONT_SLANT_NORMAL, weight)
    context.set_font_size(size)
    widths = [context.text_extents(letter).x_advance for letter in text]
    at = x - (sum(widths) + tracking * size * (len(text) - 1)) / 2
    for letter, width in zip(text, widths):
        context.move_to(at, y)
        context.show_text(letter)
        at += width + tracking * size


def moon_and_waves(context, x, y, radius):
    """The mark: a crescent over three waves, centred at x, y."""
    ink = context.get_source()
    context.save()
    context.translate(x, y)
    context.push_group()
    context.arc(0, -radius * 0.18, radius * 0.64, 0, 2 * math.pi)
    context.fill()
    context.set_operator(cairo.OPERATOR_CLEAR)
    context.arc(radius * 0.26, -radius * 0.36, radius * 0.52, 0, 2 * math.pi)
    context.fill()
    context.pop_group_to_source()
    context.paint()
    context.set_source(ink)
    context.set_line_width(radius * 0.085)
    context.set_line_cap(cairo.LINE_CAP_ROUND)
    for row, width in enumerate((0.95, 0.7, 0.4)):
        top = radius * (0.68 + 0.24 * row)
        half = radius * width
        context.move_to(-half, top)
        steps = 48
        for step in range(steps + 1):
            t = step / steps
            context.line_to(-half + 2 * half * t,
                            top + math.sin(t * math.pi * 4 * width) * radius * 0.055)
        context.stroke()
    context.restore()


def serum_label(path):
    """The print on the bottle: ink straight on the glass, round a third of its girth."""
    width, height = 1200, 1500
    surface, context = canvas(width, height)
    middle = width / 2
    context.set_source_rgb(*INK)
    moon_and_waves(context, middle, 260, 150)
    spaced(context, "ONDELUNE", middle, 650, 112, WORDMARK, 0.16)
    context.rectangle(middle - 60, 735, 120, 4)
    context.fill()
    spaced(context, "NIGHT TIDE SERUM", middle, 840, 50, SMALL, 0.2)
    spaced(context, "sea fennel  +  blue algae  +  squalane", middle, 925, 36, SMALL, 0.03)
    spaced(context, "30 ml  \u00b7  1.0 fl oz", middle, 1330, 42, SMALL, 0.12)
    surface.write_to_png(path)


def jar_label(path):
    width, height = 1600, 620
    surface, context = canvas(width, height)
    middle = width / 2
    context.set_source_rgb(0.13, 0.19, 0.33)
    spaced(context, "ONDELUNE", middle, 250, 150, WORDMARK, 0.16)
    spaced(context, "MOON MILK CREAM", middle, 380, 58, SMALL, 0.24)
    spaced(context, "50 ml  \u00b7  1.7 fl oz", middle, 500, 42, SMALL, 0.12)
    surface.write_to_png(path)


def tube_label(path):
    width, height = 900, 1900
    surface, context = canvas(width, height)
    middle = width / 2
    context.set_source_rgb(*INK)
    moon_and_waves(context, middle, 300, 130)
    spaced(context, "ONDELUNE", middle, 690, 116, WORDMARK, 0.14)
    spaced(context, "SALT FOAM", middle, 830, 50, SMALL, 0.24)
    spaced(context, "CLEANSER", middle, 905, 50, SMALL, 0.24)
    spaced(context, "100 ml  \u00b7  3.4 fl oz", middle, 1640, 40, SMALL, 0.1)
    surface.write_to_png(path)


def logo(path):
    """The brand's logo, white on nothing, 400 px wide."""
    surface, context = canvas(400, 288)
    context.set_source_rgb(1, 1, 1)
    moon_and_waves(context, 200, 96, 92)
    spaced(context, "ONDELUNE", 200, 268, 56, WORDMARK, 0.15)
    surface.write_to_png(path)
