"""MATLAB files."""

import sys

import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse

from fastmlp.data import load

PIXELS = np.random.RandomState(0).randint(0, 256, (12, 256)).astype(float)
LABELS = np.arange(12) % 10 + 1  # MATLAB counts from 1


def write_7_3(path, **matrices):
    """As MATLAB's `save -v7.3` writes them: HDF5 after 512 bytes of text, and the axes in the other order.

    https://www.mathworks.com/help/matlab/import_export/mat-file-versions.html
    """
    with h5py.File(path, "w", userblock_size=512) as file:
        for key, matrix in matrices.items():
            file[key] = matrix.T
            file[key].attrs["MATLAB_class"] = np.bytes_("double")
    text = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Oct  2 10:00:00 2023 HDF5 schema 1.00 ."
    with open(path, "r+b") as file:
        file.write(text.ljust(116) + bytes(8) + b"\0\2IM")


def write_5(path, **matrices):
    scipy.io.savemat(path, matrices)


@pytest.fixture(params=[write_7_3, write_5])
def write(request, tmp_path):
    def write(**matrices):
        request.param(tmp_path / "usps.mat", **matrices)
        return tmp_path / "usps.mat"

    return write


@pytest.mark.parametrize(("inputs", "labels"), [("X", "y"), ("fea", "gnd"), ("data", "label"), ("trainX", "trainY")])
@pytest.mark.parametrize("samples_are_columns", [False, True])
@pytest.mark.parametrize("labels_are_a_row", [False, True])
def test_samples_and_labels_may_be_rows_or_columns(write, inputs, labels, samples_are_columns, labels_are_a_row):
    x = PIXELS.T if samples_are_columns else PIXELS
    y = LABELS[None].astype(float) if labels_are_a_row else LABELS[:, None].astype(float)
    dataset = load(write(**{inputs: x, labels: y}))
    assert np.array_equal(dataset.X, PIXELS)
    assert np.array_equal(dataset.y, LABELS)
    assert dataset.image_shape == (16, 16)


def test_images_with_their_number_last_are_upright(write):
    images = PIXELS[:, :20].reshape(12, 4, 5)
    dataset = load(write(X=np.moveaxis(images, 0, 2), y=LABELS[:, None]))
    assert np.array_equal(dataset.X, PIXELS[:, :20])
    assert dataset.image_shape == (4, 5)


def test_the_parts_are_told_apart_by_name(write):
    path = write(
        trainX=PIXELS[:6], trainY=LABELS[:6, None], valX=PIXELS[6:9], valY=LABELS[6:9, None],
        testX=PIXELS[9:], testY=LABELS[9:, None],
    )  # fmt: skip
    assert np.array_equal(load(path).y, LABELS[:6])
    assert np.array_equal(load(path).validation.y, LABELS[6:9])
    assert np.array_equal(load(path, part="test").X, PIXELS[9:])


def test_numbers_of_labels_and_samples_that_differ_are_refused(write, complaint):
    assert "11 labels for 12 samples" in complaint(write(X=PIXELS, y=LABELS[:11, None]))


def test_missing_matrices_are_told_with_those_there_are(write, complaint):
    assert "has the arrays pixels, y; expected" in complaint(write(pixels=PIXELS, y=LABELS))


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_that_is_cut_short_says_so(write, complaint, share):
    path = write(X=PIXELS, y=LABELS[:, None])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "cut short" in complaint(path)


def test_a_sparse_matrix_stays_sparse(tmp_path):
    matrix = scipy.sparse.random(12, 30, 0.2, format="csc", random_state=0)
    write_5(tmp_path / "words.mat", fea=matrix, gnd=LABELS[:, None])
    X = load(tmp_path / "words.mat").X
    rebuilt = scipy.sparse.csr_matrix((X.data, X.indices, X.indptr), X.shape)
    assert np.array_equal(rebuilt.toarray(), matrix.toarray().astype(np.float32))


def test_an_older_file_without_scipy_names_both_ways_out(tmp_path, complaint, monkeypatch):
    write_5(tmp_path / "old.mat", X=PIXELS, y=LABELS)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    message = complaint(tmp_path / "old.mat")
    assert "install scipy" in message
    assert "-v7.3" in message


def test_a_structure_is_no_matrix(tmp_path, complaint):
    write_5(tmp_path / "nested.mat", X=np.array([[{"a": 1}]], object), y=LABELS[:1])
    assert "expected numbers" in complaint(tmp_path / "nested.mat")
