"""A matplotlib figure as SVG that stands inside a page: small, the same bytes each time, in the page's own colours."""

import io
import math
import re
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

POINTS_PER_INCH = 72
ANCHORS = {"left": "start", "center": "middle", "right": "end"}
_NUMBER = re.compile(r"-?\d+\.\d+")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_CONTROLS = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNCOMMON = re.compile(r"[^\x20-\u024f→…]")
INK = "#000000"


class _Canvas(FigureCanvasBase):
    """The canvas that a layout asks for the sizes of texts."""

    def __init__(self, figure: Figure, renderer: RendererSVG):
        super().__init__(figure)
        self._renderer = renderer

    def get_renderer(self) -> RendererSVG:
        return self._renderer


class _Renderer(RendererSVG):
    """Matplotlib's SVG, its texts as text whatever the global settings are: a thread must not change those."""

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: Any) -> Any:
        # Matplotlib's font lacks many scripts and would warn; the page's reader has fonts for them, about this wide.
        return super().get_text_width_height_descent(s if ismath else _UNCOMMON.sub("W", s), prop, ismath)

    def draw_text(
        self, gc: Any, x: float, y: float, s: str, prop: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        if ismath:
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        anchor = "start"
        if mtext is not None and (angle == 0 or mtext.get_rotation_mode() == "anchor"):
            # The page's font is not the one that was measured here: a text keeps its place by its anchor.
            anchor = ANCHORS[mtext.get_ha()]
            x, y = _along(mtext.get_transform().transform(mtext.get_unitless_position()), self.height, x, y, angle)
        attributes = {"x": f"{x:.2f}", "y": f"{y:.2f}", "font-size": f"{prop.get_size_in_points():g}"}
        if anchor != "start":
            attributes["text-anchor"] = anchor
        if angle:
            attributes["transform"] = f"rotate({-angle:g} {x:.2f} {y:.2f})"
        if (colour := to_hex(gc.get_rgb())) != INK:
            attributes["fill"] = colour
        self.writer.element("text", _CONTROLS.sub("\ufffd", s), attrib=attributes)


def _along(anchor: tuple[float, float], height: float, x: float, y: float, angle: float) -> tuple[float, float]:
    """The point of the line of text through (x, y), pixels from the top left, that is beside `anchor`."""
    up, across = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    left, top = anchor[0], height - anchor[1]
    offset = across * (x - left) + up * (y - top)
    return left + offset * across, top + offset * up


def inline_svg(figure: Figure, name: str, title: str) -> str:
    """Return a figure, drawn at 72 dots per inch, as an <svg> element for a page.

    The figure's layout is final afterwards, so its transforms give places in the drawing.

    Parameters
    ----------
    figure : Figure
        What to draw.
    name : str
        Unique in the page: the element's identifiers start with it.
    title : str
        Description for those who do not see it.
    """
    figure.set_dpi(POINTS_PER_INCH)
    figure.patch.set_visible(False)
    for ax in figure.axes:
        ax.patch.set_visible(False)
    width, height = figure.get_size_inches() * POINTS_PER_INCH
    text = io.StringIO()
    renderer = _Renderer(width, height, text, image_dpi=POINTS_PER_INCH)
    _Canvas(figure, renderer)
    figure.draw(renderer)
    renderer.finalize()
    return _for_a_page(text.getvalue(), name, title)


def _for_a_page(text: str, name: str, title: str) -> str:
    """Matplotlib's file as an element: identifiers numbered, no style attributes, which a strict page forbids."""
    root = ElementTree.fromstring(text)  # noqa: S314  of Matplotlib, which declares no entities
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
        _style_as_attributes(element)
        for key in ("d", "x", "y", "transform", "width", "height"):
            if key in element.attrib:
                element.set(key, _NUMBER.sub(_two_decimals, element.attrib[key]))
    for tag in ("metadata", "style"):
        _drop(root, tag)
    _let_marks_inherit(root)
    _number_identifiers(root, name)
    _unwrap(root)
    view = root.get("viewBox", "")
    root.attrib = {"viewBox": view, "class": "chart", "role": "img", "aria-label": title}
    return ElementTree.tostring(root, encoding="unicode")


def _two_decimals(match: re.Match[str]) -> str:
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def _style_as_attributes(element: Element) -> None:
    for declaration in filter(None, map(str.strip, element.attrib.pop("style", "").split(";"))):
        key, _, value = declaration.partition(":")
        element.set(key.strip(), value.strip())


def _drop(element: Element, tag: str) -> None:
    for child in list(element):
        if child.tag == tag:
            element.remove(child)
        else:
            _drop(child, tag)


def _let_marks_inherit(root: Element) -> None:
    """Move the colours of markers to where they are used, so that the page's style can change them."""
    for definitions in root.iter("defs"):
        for mark in definitions.iter("path"):
            for key in ("fill", "stroke"):
                mark.attrib.pop(key, None)


def _number_identifiers(root: Element, name: str) -> None:
    """Identifiers that count up, for those that something refers to; no others."""
    used: set[str] = set()
    for element in root.iter():
        used.update(value[1:] for key, value in element.attrib.items() if key == "href" and value.startswith("#"))
        used.update(match for value in element.attrib.values() for match in _REFERENCE.findall(value))
    numbers: dict[str, str] = {}
    for element in root.iter():
        identifier = element.attrib.pop("id", None)
        if identifier is not None and identifier in used:
            element.set("id", numbers.setdefault(identifier, f"{name}-{len(numbers)}"))
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "href" and value.startswith("#"):
                element.set(key, f"#{numbers[value[1:]]}")
            else:
                element.set(key, _REFERENCE.sub(lambda match: f"url(#{numbers[match[1]]})", value))


def _unwrap(element: Element) -> None:
    """Put the children of groups that say nothing in their places."""
    for child in list(element):
        _unwrap(child)
        if child.tag in ("g", "defs") and not child.attrib and (child.tag == "g" or not len(child)):
            place = list(element).index(child)
            element[place : place + 1] = list(child)
    element.text = element.text if element.tag == "text" else None
    element.tail = None
