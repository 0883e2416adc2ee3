"""Takes the grain out of a path-traced picture: non-local means over two half renders.

After Rousselle, Knaus and Zwicker, "Adaptive rendering with non-local means filtering" (2012): the
difference of the halves tells the noise of each pixel, and each half is averaged with weights found
in the other, so that noise never agrees with itself. Albedo and normals, which have no grain, keep
edges and print sharp.
"""

import numpy
from scipy.ndimage import uniform_filter

WINDOW = 5  # px to each side
PATCH = 2


def _box(picture, reach):
    """Mean over a square of 2 * reach + 1 px, edges repeated."""
    size = (2 * reach + 1, 2 * reach + 1) + (1,) * (picture.ndim - 2)
    return uniform_filter(picture, size, mode="nearest")


def _moved(picture, down, right):
    return numpy.roll(picture, (down, right), axis=(0, 1))


def _weights(picture, variance, down, right, strength):
    other, other_variance = _moved(picture, down, right), _moved(variance, down, right)
    shared = numpy.minimum(variance, other_variance)
    distance = ((picture - other) ** 2 - (variance + shared)) / (
        1e-7 + strength ** 2 * (variance + other_variance))
    return numpy.exp(-numpy.maximum(0, _box(distance.mean(axis=2), PATCH)))


def _feature_weights(features, down, right):
    distance = ((features - _moved(features, down, right)) ** 2).sum(axis=2)
    return numpy.exp(-distance / 0.006)


def denoised(half_a, half_b, features, strength=0.6):
    """The mean of two linear half renders (h, w, 3) without their grain; features are (h, w, n)."""
    a, b = numpy.log1p(numpy.maximum(half_a, 0)), numpy.log1p(numpy.maximum(half_b, 0))
    variance = _box((a - b) ** 2 / 2, 3)
    variance = numpy.maximum(variance, 1e-7)
    total = [numpy.zeros(a.shape, numpy.float32) for _ in range(2)]
    weight = [numpy.zeros(a.shape[:2], numpy.float32) for _ in range(2)]
    for down in range(-WINDOW, WINDOW + 1):
        for right in range(-WINDOW, WINDOW + 1):
            kept = _feature_weights(features, down, right)
            for index, (guide, source) in enumerate(((a, b), (b, a))):
                w = kept * _weights(guide, variance, down, right, strength)
                total[index] += w[..., None] * _moved(source, down, right)
                weight[index] += w
    result = sum(t / w[..., None] for t, w in zip(total, weight)) / 2
    return numpy.expm1(result)
