"""Folders of PNG and JPEG files, one for each class."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastmlp.data import NoTestPart, load
from fastmlp.errors import InputError

PIXELS = np.random.RandomState(0).randint(0, 256, (6, 9, 8)).astype(np.uint8)


def write(folder: Path, images, ending=".png"):
    """As torchvision's ImageFolder and the collections of notMNIST and Kaggle have them: CLASS/NAME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{number}{ending}")
    return folder


def test_the_names_of_the_folders_are_the_labels(tmp_path):
    write(tmp_path / "letters" / "cat", PIXELS[:2])
    write(tmp_path / "letters" / "dog", PIXELS[2:5], ".PNG")
    write(tmp_path / "letters" / "ant", PIXELS[5:])
    dataset = load(tmp_path / "letters")
    assert dataset.y.tolist() == ["ant", "cat", "cat", "dog", "dog", "dog"]
    assert dataset.classes.tolist() == ["ant", "cat", "dog"]
    assert np.array_equal(dataset.X, PIXELS[[5, 0, 1, 2, 3, 4]].reshape(6, 72))
    assert dataset.image_shape == (9, 8)
    assert dataset.name == "letters"


@pytest.mark.parametrize(
    ("names", "labels"), [(["10", "3"], [10, 3]), (["03", "10"], ["03", "10"]), (["1", "ten"], ["1", "ten"])]
)
def test_labels_are_numbers_where_all_names_are(tmp_path, names, labels):
    for name in names:
        write(tmp_path / name, PIXELS[:1])
    assert load(tmp_path).y.tolist() == labels


@pytest.mark.parametrize(("train", "validation", "test"), [("train", "val", "test"), ("Training", "valid", "testing")])
def test_folders_of_parts_are_parts(tmp_path, train, validation, test):
    for part, rows in ((train, slice(0, 2)), (validation, slice(2, 3)), (test, slice(3, 5))):
        for label in ("a", "b"):
            write(tmp_path / part / label, PIXELS[rows])
    assert np.array_equal(load(tmp_path).X, PIXELS[[0, 1, 0, 1]].reshape(4, 72))
    assert np.array_equal(load(tmp_path).validation.X, PIXELS[[2, 2]].reshape(2, 72))
    assert np.array_equal(load(tmp_path, part="validation").X, PIXELS[[2, 2]].reshape(2, 72))
    assert load(tmp_path, part="test").y.tolist() == ["a", "a", "b", "b"]


def test_a_folder_without_parts_has_no_test_part(tmp_path):
    write(tmp_path / "a", PIXELS)
    with pytest.raises(NoTestPart, match="has no test part; expected a folder test or testing in it"):
        load(tmp_path, part="test")


def test_a_class_may_be_called_train(tmp_path):
    for name in ("train", "bus"):
        write(tmp_path / name, PIXELS[:2])
    assert load(tmp_path).classes.tolist() == ["bus", "train"]


def test_parts_without_classes_are_refused(tmp_path):
    for name in ("train", "test"):
        write(tmp_path / name, PIXELS[:2])
    with pytest.raises(InputError, match="has images in test and train, of no class"):
        load(tmp_path)


def test_files_that_are_no_images_and_hidden_ones_are_passed_over(tmp_path):
    write(tmp_path / "a", PIXELS[:1])
    write(tmp_path / "b", PIXELS[:1])
    write(tmp_path / "__MACOSX" / "a", PIXELS[:1])
    (tmp_path / "a" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "a" / "._0.png").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    assert load(tmp_path).y.tolist() == ["a", "b"]


def test_colours_and_palettes_and_transparency_become_grey_on_white(tmp_path):
    colours = np.random.RandomState(1).randint(0, 256, (9, 8, 4)).astype(np.uint8)
    colours[0, 0] = 0, 0, 0, 0
    image = Image.fromarray(colours)
    (tmp_path / "a").mkdir()
    image.convert("RGB").save(tmp_path / "a" / "rgb.png")
    image.convert("RGB").quantize(256).save(tmp_path / "a" / "palette.png")
    image.save(tmp_path / "a" / "transparent.png")
    Image.fromarray(PIXELS[0] > 99).save(tmp_path / "a" / "two.png")
    palette, rgb, transparent, two = load(tmp_path).X.reshape(-1, 9, 8)
    grey = np.asarray(image.convert("RGB").convert("L"))
    assert np.array_equal(rgb, grey)
    assert np.abs(palette.astype(int) - grey).mean() < 10
    assert transparent[0, 0] == 255
    share = colours[..., 3] / 255
    assert np.abs(transparent - (grey * share + 255 * (1 - share))).max() <= 2
    assert np.array_equal(two, 255 * (PIXELS[0] > 99))


def test_jpeg_is_read_too(tmp_path):
    smooth = np.linspace(0, 255, 32 * 32).reshape(1, 32, 32).astype(np.uint8)
    write(tmp_path / "a", smooth, ".jpg")
    write(tmp_path / "b", smooth, ".jpeg")
    assert np.abs(load(tmp_path).X.astype(int) - smooth.reshape(1, -1)).max() < 16


def test_sixteen_bits_keep_their_numbers(tmp_path):
    write(tmp_path / "a", PIXELS[:2].astype(np.uint16) * 257)
    dataset = load(tmp_path)
    assert dataset.X.dtype == np.float32
    assert np.array_equal(dataset.X, PIXELS[:2].reshape(2, 72).astype(np.float32) * 257)


def test_images_of_several_sizes_are_refused(tmp_path):
    write(tmp_path / "a", PIXELS[:2])
    write(tmp_path / "b", [PIXELS[0, :5], PIXELS[0], PIXELS[0, :4]])
    with pytest.raises(InputError, match=r"b.0\.png has 5 x 8 pixels, and the first image 9 x 8 .* \(and 1 more\)"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"<html>"])
def test_damaged_images_are_named_all_at_once(tmp_path, content):
    write(tmp_path / "a", PIXELS[:3])
    whole = (tmp_path / "a" / "2.png").read_bytes()
    (tmp_path / "a" / "1.png").write_bytes(content)
    (tmp_path / "a" / "2.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"a.1\.png cannot be read as PNG or JPEG .*\(and 1 more\)"):
        load(tmp_path)


def test_an_image_alone_has_no_label(tmp_path, complaint):
    path = write(tmp_path / "a", PIXELS[:1]) / "0.png"
    assert "is one image, without a label" in complaint(path)


def test_a_folder_without_data_names_what_was_expected(tmp_path):
    (tmp_path / "readme.txt").write_text("nothing")
    with pytest.raises(InputError, match=r"is a folder without data; expected IDX files .*or a folder of PNG or JPEG"):
        load(tmp_path)


def test_without_pillow_its_extra_is_named(tmp_path, monkeypatch):
    write(tmp_path / "a", PIXELS[:1])
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(InputError, match=r"Pillow reads; it is not installed: pip install 'fastmlp\[images\]'"):
        load(tmp_path)
