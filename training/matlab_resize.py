"""MATLAB-compatible bicubic imresize in numpy (a = -0.5, antialiased, symmetric border)."""
import numpy as np


def _cubic(x):
    """Keys' cubic with a = -0.5, support [-2, 2]."""
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def _taps(n_in, n_out):
    """-> indices [n_out, taps] into the input and weights [n_out, taps], rows summing to 1."""
    scale = n_out / n_in
    stretch = max(1.0, 1.0 / scale)  # antialiasing: the kernel widens when downscaling
    centre = (np.arange(n_out) + 0.5) / scale - 0.5
    reach = 2 * stretch
    taps = int(np.ceil(2 * reach)) + 2
    index = np.floor(centre - reach).astype(int)[:, None] + np.arange(taps)
    weight = _cubic((centre[:, None] - index) / stretch)
    weight /= weight.sum(1, keepdims=True)
    mirror = np.mod(index, 2 * n_in)  # ... 1 0 | 0 1 ... n-1 | n-1 n-2 ...
    index = np.where(mirror < n_in, mirror, 2 * n_in - 1 - mirror)
    keep = np.any(weight != 0, axis=0)
    return index[:, keep], weight[:, keep]


def to_uint8(a):
    """Rounds half up, as MATLAB does for positive numbers, and clips to 0..255."""
    return np.clip(np.floor(a + 0.5), 0, 255)


def _along(a, axis, n_out):
    index, weight = _taps(a.shape[axis], n_out)
    out = 0.0
    shape = [1] * a.ndim
    shape[axis] = n_out
    for k in range(index.shape[1]):
        out = out + np.take(a, index[:, k], axis=axis) * weight[:, k].reshape(shape)
    return out


def imresize(a, height, width, rows_axis=0, as_uint8=False):
    """a [..., H, W, ...] (H at rows_axis, W next to it) -> float64 of the new size.

    as_uint8 reproduces MATLAB on uint8 images: values are rounded and clipped after the first
    pass as well as after the second.
    """
    a = _along(np.asarray(a, np.float64), rows_axis, height)
    if as_uint8:
        a = to_uint8(a)
    a = _along(a, rows_axis + 1, width)
    return to_uint8(a) if as_uint8 else a
