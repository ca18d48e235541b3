"""Plain numpy twins of the kernels: slow and obviously right."""

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def naive() -> SimpleNamespace:
    """Give the twins by the kernels' names."""
    return SimpleNamespace(
        orientation_maps=orientation_maps,
        halve=halve,
        box_blur=box_blur,
        describe=describe,
        reduce=reduce,
        average=average,
    )


def orientation_maps(patch):
    image = patch.astype(np.float64)
    padded = np.pad(image, 1, mode="edge")
    gx = 0.5 * (padded[1:-1, 2:] - padded[1:-1, :-2])
    gy = 0.5 * (padded[2:, 1:-1] - padded[:-2, 1:-1])
    weight = 1 / np.sqrt(np.hypot(gx, gy) + 1)
    angles = np.arange(8) * 2 * np.pi / 8
    projected = gx[..., None] * np.cos(angles) + gy[..., None] * np.sin(angles)
    return np.maximum(projected, 0) * weight[..., None]


def halve(maps):
    height, width, _ = maps.shape
    return maps.reshape(height // 2, 2, width // 2, 2, 8).mean(axis=(1, 3))


def box_blur(maps, radius):
    padded = np.pad(maps, ((radius, radius), (radius, radius), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * radius + 1,) * 2, axis=(0, 1))
    return windows.mean(axis=(-2, -1))


def describe(maps, points, spacing):
    height, width, _ = maps.shape
    out = np.empty((len(points), 4, 4, 8))
    for i, (px, py) in enumerate(points):
        for row in range(4):
            for column in range(4):
                x = np.clip(px + (column - 1.5) * spacing, 0, width - 1.001)
                y = np.clip(py + (row - 1.5) * spacing, 0, height - 1.001)
                x0, y0 = int(x), int(y)
                fx, fy = x - x0, y - y0
                top = (1 - fx) * maps[y0, x0] + fx * maps[y0, x0 + 1]
                bottom = (1 - fx) * maps[y0 + 1, x0] + fx * maps[y0 + 1, x0 + 1]
                out[i, row, column] = (1 - fy) * top + fy * bottom
    flat = out.reshape(len(points), 128)
    return flat / np.sqrt((flat**2).sum(axis=1, keepdims=True) + 0.01)


def reduce(descriptors, basis, offset):
    return np.einsum("nj,njk->nk", descriptors, basis) - offset


def average(image, size):
    """Mean over each new pixel's area, by splitting every pixel into equal parts."""
    width, height = size
    tall = image.astype(np.float64).repeat(height, axis=0).repeat(width, axis=1)
    return tall.reshape(height, image.shape[0], width, image.shape[1]).mean(axis=(1, 3))
