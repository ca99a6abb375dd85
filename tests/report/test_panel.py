from itertools import pairwise

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data.collections import glyphs
from fastmlp.errors import InputError
from fastmlp.kernels.layout import ACTIVATIONS
from fastmlp.report.panel import MOST_NUMBERS, panel

SHAPE = (28, 28)
DIGITS = [str(digit) for digit in range(10)]
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 1'>",
    "<!--",
    "{{ 7 * 7 }}",
    '" onload="window.harmed = 1" \'',
    "\u2028&amp;",
    "a name as long as the names of classes may well become when nobody keeps them short" + "-and-longer" * 9,
]


def network(shape=SHAPE, classes=10, loss="cross_entropy", seed=0, **settings):
    """A network with random weights, whose answers differ from image to image."""
    random = np.random.default_rng(seed)
    settings = {
        "hidden": (16, 12),
        "epochs": 1,
        "learning_rate": 0.01,
        "engine": "numpy",
        "loss": loss,
        "seed": seed,
        **settings,
    }
    targets = np.arange(2 * classes) % classes
    if loss != "cross_entropy":
        targets = np.eye(classes)[targets]
    mlp = MLP(**settings).fit(random.random((2 * classes, shape[0] * shape[1])), targets)
    for bias in mlp.biases:
        bias[:] = random.normal(0, 0.5, bias.shape)
    return mlp


def probabilities_of(mlp, pixels):
    """What the library says to images (N, D): (N, C)."""
    pixels = np.atleast_2d(pixels)
    has_probabilities = mlp.config.loss_function.has_probabilities
    return mlp.predict_proba(pixels) if has_probabilities else mlp.predict(pixels).clip(0, 1)


def ask(browser, function, *arguments):
    """What a function of the page's `fastmlpPanel` returns."""
    return browser.execute_script(f"return fastmlpPanel.{function}(...arguments)", *arguments)


def scribble(seed):
    """A drawing of two crooked strokes."""
    random = np.random.default_rng(seed)
    return [np.clip(random.normal(0, 0.12, (9, 2)).cumsum(axis=0) + 0.5, 0.05, 0.95).tolist() for _ in range(2)]


def arc(x, y, rx, ry, start, end):
    """Points of an ellipse, between two angles in degrees, clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 12))
    return np.column_stack([x + rx * np.cos(angles), y + ry * np.sin(angles)]).tolist()


def draw_by_hand(browser, kind, strokes):
    """Draw on the sheet with a "mouse", a finger ("touch") or a "pen"."""
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput
    from selenium.webdriver.common.by import By

    sheet = browser.find_element(By.ID, "fastmlp-sheet")
    side = sheet.rect["width"]
    actions = ActionBuilder(browser, mouse=PointerInput(kind, kind), duration=0)
    for stroke in strokes:
        for number, (x, y) in enumerate(stroke):
            actions.pointer_action.move_to(sheet, round((x - 0.5) * side), round((y - 0.5) * side))
            if number == 0:
                actions.pointer_action.pointer_down()
        actions.pointer_action.pointer_up()
    actions.perform()


def as_mnist_was_made(strokes, shape=SHAPE, box=(20, 20), grain=24):
    """The image of a drawing, made as a bitmap that is cut out, reduced and centred."""
    ndimage = pytest.importorskip("scipy.ndimage")
    spatial = pytest.importorskip("scipy.spatial")
    lines = [np.array(stroke) for stroke in strokes]
    low, high = np.vstack(lines).min(axis=0), np.vstack(lines).max(axis=0)
    pen = min(box) / 7
    scale = grain * min((np.array(box[::-1]) - pen) / (high - low))
    way = [scale * (p + t * (q - p)) for line in lines for p, q in pairwise(line) for t in np.linspace(0, 1, 100)]
    margin = 4 * grain
    size = (np.array(shape) + 8) * grain
    rows, columns = np.indices(size)
    points = np.column_stack([columns.ravel(), rows.ravel()]) + 0.5 - margin + scale * low
    far, _ = spatial.KDTree(np.array(way)).query(points, distance_upper_bound=pen * grain)
    ink = (far <= pen / 2 * grain).reshape(size)
    inked_rows, inked_columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cut = ink[inked_rows[0] : inked_rows[-1] + 1, inked_columns[0] : inked_columns[-1] + 1]
    bitmap = np.zeros(np.array(shape) * grain)
    bitmap[: cut.shape[0], : cut.shape[1]] = cut
    image = bitmap.reshape(shape[0], grain, shape[1], grain).mean(axis=(1, 3))
    shift = np.round(np.array(shape) // 2 - np.array(ndimage.center_of_mass(image)))
    return ndimage.shift(image, shift, order=0)


# ------------------------------------------------------------------------------------------------------ the network


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "squared_error", "poisson"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_page_gives_an_image_the_probabilities_that_the_library_gives(show, activation, loss):
    mlp = network(loss=loss, activation=activation)
    browser = show(panel(mlp, SHAPE, DIGITS))
    images = np.random.default_rng(1).random((5, 784)) ** 3
    answers = [ask(browser, "classify", image.tolist()) for image in images]
    assert np.ptp(answers, axis=0).max() > 0.01
    np.testing.assert_allclose(answers, probabilities_of(mlp, images), rtol=0, atol=1e-4)


def test_layers_may_differ_in_activation_and_width_and_images_need_not_be_square(show):
    mlp = network(shape=(9, 14), classes=4, hidden=(7, 20, 3), activation=("tanh", "relu", "sigmoid"), dtype="float64")
    browser = show(panel(mlp, (9, 14), list("abcd")))
    images = np.random.default_rng(1).random((5, 126))
    answers = [ask(browser, "classify", image.tolist()) for image in images]
    np.testing.assert_allclose(answers, mlp.predict_proba(images), rtol=0, atol=1e-4)


@pytest.mark.parametrize("scaling", ["auto", "standard", "minmax", "none", "pixels"])
@pytest.mark.parametrize(("paper", "ink"), [(0, 16), (255, 0), (-1, 1)])
def test_the_page_scales_an_image_as_the_network_does(show, scaling, paper, ink):
    random = np.random.default_rng(2)
    X, y = paper + (ink - paper) * np.round(random.random((60, 64)) ** 3, 2), np.arange(60) % 3
    X[:, :8] = paper  # as at an edge
    X[:2, 20] = paper, ink
    mlp = MLP(hidden=(16,), epochs=2, engine="numpy", scaling=scaling, learning_rate=0.01).fit(X, y)
    drawn = np.round(random.random((5, 64)), 2)
    browser = show(panel(mlp, (8, 8), list("abc"), shades=(paper, ink)))
    answers = [ask(browser, "classify", image.tolist()) for image in drawn]
    np.testing.assert_allclose(answers, mlp.predict_proba(paper + (ink - paper) * drawn), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("scaling", "most", "ink"), [("auto", 16, 16), ("pixels", 40, 255), ("auto", 0.9, 1)])
def test_shades_that_are_not_known_are_those_of_the_training(scaling, most, ink):
    X, y = np.linspace(0, most, 40 * 64).reshape(40, 64), np.arange(40) % 2
    mlp = MLP(hidden=(4,), epochs=1, engine="numpy", scaling=scaling).fit(X, y)
    assert panel(mlp, (8, 8), list("ab")) == panel(mlp, (8, 8), list("ab"), shades=(0, ink))
    assert panel(mlp, (8, 8), list("ab")) != panel(mlp, (8, 8), list("ab"), shades=(ink, 0))


def test_a_network_without_hidden_layers_is_shown(show):
    mlp = network(hidden=())
    pixels = np.random.default_rng(1).random(784)
    answer = ask(show(panel(mlp, SHAPE, DIGITS)), "classify", pixels.tolist())
    np.testing.assert_allclose(answer, mlp.predict_proba(pixels[None])[0], rtol=0, atol=1e-4)


# ------------------------------------------------------------------------------------------------------ the drawing


@pytest.mark.parametrize("kind", ["mouse", "touch", "pen"])
def test_what_is_drawn_by_hand_is_classified_as_the_library_does(show, complaints, kind):
    mlp = network()
    browser = show(panel(mlp, SHAPE, DIGITS))
    assert ask(browser, "result") is None
    draw_by_hand(browser, kind, scribble(3))
    result = ask(browser, "result")
    assert sum(result["pixels"]) > 20
    np.testing.assert_allclose(result["probabilities"], mlp.predict_proba([result["pixels"]])[0], rtol=0, atol=1e-4)
    answer = DIGITS[int(np.argmax(result["probabilities"]))]
    assert text_of(browser, "#fastmlp-answer") == [answer]
    assert text_of(browser, ".fastmlp-best .fastmlp-name") == [answer]
    assert text_of(browser, ".fastmlp-share") == [f"{100 * p:.1f}%" for p in result["probabilities"]]
    assert complaints() == []


def text_of(browser, selector):
    return browser.execute_script(
        "return [...document.querySelectorAll(arguments[0])].map((found) => found.textContent)", selector
    )


def test_a_hand_moves_the_pen_where_it_points(show):
    browser = show(panel(network(), SHAPE, DIGITS))
    strokes = scribble(4)
    draw_by_hand(browser, "mouse", strokes)
    by_hand = np.array(ask(browser, "result")["pixels"])
    given = np.array(ask(browser, "draw", strokes)["pixels"])
    # The pointer stands on whole pixels of a sheet of 320, each a fifteenth of the network's.
    np.testing.assert_allclose(by_hand, given, rtol=0, atol=0.25)


@pytest.mark.parametrize("seed", range(4))
def test_a_drawing_is_fitted_and_centred_as_mnist_was(show, seed):
    browser = show(panel(network(), SHAPE, DIGITS))
    strokes = scribble(seed)
    image = np.reshape(ask(browser, "draw", strokes)["pixels"], SHAPE)
    # The page looks at 64 points of a pixel, the bitmap at 576 and cuts it out to a 24th.
    np.testing.assert_allclose(image, as_mnist_was_made(strokes), rtol=0, atol=0.08)
    assert max(np.ptp(np.nonzero(image), axis=1)) == 19


def test_size_and_place_of_a_drawing_do_not_matter(show):
    browser = show(panel(network(), SHAPE, DIGITS))
    strokes = scribble(2)
    small = [[[0.1 + 0.25 * x, 0.6 + 0.25 * y] for x, y in stroke] for stroke in strokes]
    large, small = (ask(browser, "draw", drawing)["pixels"] for drawing in (strokes, small))
    np.testing.assert_allclose(small, large, rtol=0, atol=0.04)


def test_a_dot_stays_a_dot_in_the_middle(show):
    browser = show(panel(network(), SHAPE, DIGITS))
    image = np.reshape(ask(browser, "draw", [[[0.9, 0.2]]])["pixels"], SHAPE)
    assert image.sum() == pytest.approx(np.pi * (20 / 7 / 2) ** 2, rel=0.03)
    assert image[12:17, 12:17].sum() == image.sum()
    shaken = np.reshape(ask(browser, "draw", [[[0.9, 0.2], [0.91, 0.2]]])["pixels"], SHAPE)
    assert shaken[11:18, 11:18].sum() == shaken.sum()


def test_a_drawing_may_fill_the_image_and_is_never_moved_out_of_it(show):
    browser = show(panel(network(), SHAPE, DIGITS, fill=1))
    heavy_corner = [arc(0.2, 0.2, r, r, 0, 360) for r in (0.02, 0.06, 0.1)] + [[[0.2, 0.2], [0.2, 0.9], [0.8, 0.9]]]
    image = np.reshape(ask(browser, "draw", heavy_corner)["pixels"], SHAPE)
    inked = np.flatnonzero(image.any(axis=1))
    assert (inked[0], inked[-1]) == (0, 27)
    # Its mass is on the left, so it goes to the right as far as there is room.
    assert image[:, 27].any()


def test_drawn_digits_are_recognised(show):
    X, y = glyphs.draw("train", 4000)
    mlp = MLP(hidden=(64,), epochs=10, learning_rate=0.2, batch_size=50).fit(X, y)
    browser = show(panel(mlp, SHAPE, DIGITS))
    digits = {
        "0": [arc(0.5, 0.5, 0.22, 0.32, -90, 270)],
        "3": [arc(0.47, 0.33, 0.2, 0.16, -150, 90) + arc(0.47, 0.67, 0.23, 0.19, -90, 150)],
        "7": [[[0.3, 0.2], [0.7, 0.2], [0.58, 0.5], [0.47, 0.85]]],
    }
    for digit, strokes in digits.items():
        ask(browser, "draw", strokes)
        assert text_of(browser, "#fastmlp-answer") == [digit]


@pytest.mark.parametrize("how", ["button", "key"])
def test_clear_clears(show, how):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser = show(panel(network(), SHAPE, DIGITS))
    empty = paint_of(browser)
    draw_by_hand(browser, "mouse", scribble(0))
    assert paint_of(browser) != empty
    if how == "button":
        browser.find_element(By.ID, "fastmlp-clear").click()
    else:
        browser.find_element(By.ID, "fastmlp-sheet").send_keys(Keys.ESCAPE)
    assert paint_of(browser) == empty
    assert ask(browser, "result") is None
    assert text_of(browser, "#fastmlp-answer") == [""]
    assert text_of(browser, ".fastmlp-share") == [""] * 10


def paint_of(browser):
    return browser.execute_script(
        "return ['sheet', 'view'].map((id) => document.getElementById(`fastmlp-${id}`).toDataURL())"
    )


# ------------------------------------------------------------------------------------------------------ the page


def test_of_many_classes_the_ten_most_probable_are_listed(show):
    mlp = network(classes=26)
    letters = [chr(ord("A") + k) for k in range(26)]
    browser = show(panel(mlp, SHAPE, letters))
    assert browser.execute_script("return document.getElementById('fastmlp-bars').offsetHeight") == 0
    probabilities = np.array(ask(browser, "draw", scribble(0))["probabilities"])
    assert text_of(browser, ".fastmlp-name") == [letters[k] for k in np.argsort(-probabilities)[:10]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_and_long_names_are_shown_as_text_and_nothing_overflows_a_phone(show, complaints, scheme):
    browser = show(panel(network(classes=len(HOSTILE)), SHAPE, HOSTILE), width=390, scheme=scheme)
    for seed in range(3):
        ask(browser, "draw", scribble(seed))
        assert browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]") == [390, 390]
    assert text_of(browser, ".fastmlp-name") == HOSTILE
    assert text_of(browser, "#fastmlp-answer")[0] in HOSTILE
    assert browser.execute_script("return window.harmed === undefined && document.images.length === 0")
    assert complaints() == []


def test_colours_follow_what_the_reader_prefers(show, prefer_colours):
    from selenium.webdriver.support.wait import WebDriverWait

    browser = show(panel(network(), SHAPE, DIGITS))
    ask(browser, "draw", [[[0.2, 0.5], [0.5, 0.5]]])
    light = brightness(browser)
    prefer_colours("dark")
    # The page paints the drawing anew when it hears of the change.
    WebDriverWait(browser, 5).until(lambda browser: brightness(browser)["ink"] > 200)
    dark = brightness(browser)
    assert light["ground"] > 200 > 60 > light["ink"]
    assert dark["ink"] > 200 > 60 > dark["ground"]


def brightness(browser):
    """How bright, 0 to 255, the panel's ground and the ink on its sheet are."""
    return browser.execute_script("""
        const sheet = document.getElementById("fastmlp-sheet");
        const ground = getComputedStyle(document.querySelector(".fastmlp-panel")).backgroundColor;
        const ink = sheet.getContext("2d").getImageData(200, 280, 1, 1).data;
        return {ground: Number(ground.match(/\\d+/)[0]), ink: ink[0]};
    """)


def test_the_keyboard_reaches_sheet_and_button_and_all_have_names(show):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    browser = show(panel(network(), SHAPE, DIGITS))
    reached = []
    for _ in range(2):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(browser.switch_to.active_element.accessible_name)
    assert reached == ["Area to draw in", "Clear"]
    assert browser.find_element(By.ID, "fastmlp-view").accessible_name == "The drawing in 28 by 28 pixels"
    assert browser.find_element(By.ID, "fastmlp-bars").accessible_name == "Probabilities"


# ------------------------------------------------------------------------------------------------- without a browser


def test_there_is_no_panel_where_there_is_nothing_to_draw_or_to_tell_apart():
    assert panel(network(), None, DIGITS) == ""
    assert panel(network(classes=1, loss="binary_cross_entropy"), SHAPE, ["yes"]) == ""
    diverged = network()
    diverged.weights[0][3, 4] = np.nan
    assert panel(diverged, SHAPE, DIGITS) == ""


def test_a_network_too_large_to_embed_is_named_so():
    mlp = network(hidden=(480,))
    count = sum(array.size for array in (*mlp.weights, *mlp.biases))
    assert count > MOST_NUMBERS
    html = panel(mlp, SHAPE, DIGITS)
    assert f"{count:,} weights and biases, too many" in html
    assert "<script" not in html
    assert len(html) < 10_000


def test_the_largest_network_takes_about_two_megabytes():
    hidden = (MOST_NUMBERS - 10) // 795
    assert 1.9e6 < len(panel(network(hidden=(hidden,)), SHAPE, DIGITS)) < 2.1e6


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (((14, 28), DIGITS), "784 inputs"),
        ((SHAPE, DIGITS[:9]), "9 names for 10 outputs"),
        ((SHAPE, DIGITS, 0), "fill is 0"),
        ((SHAPE, DIGITS, 1.5), "fill is 1.5"),
    ],
)
def test_what_does_not_fit_the_network_is_refused(arguments, complaint):
    with pytest.raises(InputError, match=complaint):
        panel(network(), *arguments)


def test_a_network_without_weights_is_refused():
    with pytest.raises(InputError, match="no weights yet"):
        panel(MLP(), SHAPE, DIGITS)
