import matplotlib
import numpy as np
from matplotlib.figure import Figure

from fastmlp.plots.svg import inline_svg


def drawn(name="a", **text):
    figure = Figure(figsize=(4, 3), layout="constrained")
    ax = figure.subplots()
    ax.plot([1, 2, 3], [4, 6, 5], marker="o")
    ax.set_title(text.get("title", "title"), parse_math=False)
    ax.set_ylabel("upwards")
    return figure, inline_svg(figure, name, "what it shows")


def test_texts_stay_texts_whatever_the_global_settings_are():
    before = matplotlib.rcParams["svg.fonttype"]
    assert before == "path"
    _, svg = drawn(title="R&D <b> $5")
    assert ">R&amp;D &lt;b&gt; $5</text>" in svg
    assert matplotlib.rcParams["svg.fonttype"] == before


def test_two_images_on_a_page_share_no_identifier():
    identifiers = [{part.partition('"')[0] for part in drawn(name)[1].split(' id="')[1:]} for name in "ab"]
    assert identifiers[0]
    assert not identifiers[0] & identifiers[1]


def test_the_same_figure_gives_the_same_text():
    assert drawn()[1] == drawn()[1]


def test_transforms_give_places_in_the_image():
    figure, svg = drawn()
    (x, y), *_ = figure.axes[0].transData.transform(np.array([[1, 4]]))
    height = figure.get_size_inches()[1] * 72
    assert f"M {x:.2f}".rstrip("0") in svg
    assert f" {height - y:.2f}".rstrip("0") in svg


def test_scripts_that_the_font_lacks_and_control_characters_are_no_trouble():
    assert "日本\ufffd語" in drawn(title="日本\x00語")[1]


def test_turned_text_is_turned_around_its_anchor():
    _, svg = drawn()
    (label,) = [part for part in svg.split("<text") if ">upwards<" in part]
    assert 'text-anchor="middle"' in label
    assert 'transform="rotate(-90 ' in label


def test_marks_have_the_colours_of_the_places_where_they_are_used():
    _, svg = drawn()
    marks = "".join(part.partition("</defs>")[0] for part in svg.split("<defs>")[1:])
    assert marks.count("<path") >= 3  # of both axes' ticks, and of the points
    assert "stroke=" not in marks
    assert "fill=" not in marks
    assert '<use href="#a-0"' in svg
    assert all("stroke=" in place.partition("/>")[0] for place in svg.split("<use ")[1:])
