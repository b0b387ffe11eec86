"""Golden inputs and outputs of detection operators, by torchvision, in float64 unless it says otherwise.

Boxes are x1, y1, x2, y2 in pixels of the picture. Feature maps and pictures come from the hash by name (their values
are not in the files); everything else is written out.
"""
import torch
import torchvision
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from hash_weights import hash_tensor, hash_values

SOURCE = f"torchvision {torchvision.__version__}"


def rounded(tensor):
    """Nested lists with nine significant digits."""
    return [rounded(t) for t in tensor] if tensor.dim() else float(f"{tensor.item():.9g}")


def hash_boxes(name, count, extent, largest):
    """Boxes with corners on quarters of a pixel, exact in float32."""
    u = (torch.from_numpy(hash_values(name, 4 * count)).view(count, 4) + 1) / 2
    corner, size = u[:, :2] * extent, 1 + u[:, 2:] * largest
    return (torch.cat([corner, corner + size], 1) * 4).round() / 4


def roi_align():
    shape, scale = (1, 3, 12, 17), 1 / 32
    features = torch.from_numpy(hash_tensor("roi-align.input", shape)).double()
    boxes = torch.tensor([
        [32.0, 48.0, 288.0, 320.0],  # inside
        [0.0, 0.0, 544.0, 384.0],  # the whole picture
        [-80.0, -40.0, 100.0, 90.0],  # over the upper left corner
        [400.5, 250.25, 700.0, 480.0],  # over the lower right corner
        [600.0, 400.0, 800.0, 500.0],  # outside: all samples beyond the map
        [-300.0, -200.0, -100.0, -90.0],  # outside on the other side
        [100.0, 100.0, 100.0, 100.0],  # no area: taken as one cell of the map
        [200.0, 150.0, 180.0, 120.0],  # corners swapped: likewise
        [64.0, 64.0, 72.0, 68.0],  # smaller than a cell
        [10.0, 200.0, 530.0, 210.0],  # flat
    ], dtype=torch.float64)
    output = torchvision.ops.roi_align(features, [boxes], (7, 7), scale, sampling_ratio=2, aligned=False)
    return {"source": SOURCE, "input": {"name": "roi-align.input", "shape": list(shape)}, "spatialScale": scale,
            "samplingRatio": 2, "aligned": False, "outputShape": list(output.shape), "boxes": rounded(boxes),
            "outputs": rounded(output.flatten(1))}


def plain_nms(boxes, scores, threshold):
    """The rule spelt out, to make sure that ties go as the docstring of nms says."""
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        overlaps = []
        for j in kept:
            low, high = torch.maximum(boxes[i, :2], boxes[j, :2]), torch.minimum(boxes[i, 2:], boxes[j, 2:])
            shared = (high - low).clamp(min=0).prod()
            areas = [(boxes[k, 2:] - boxes[k, :2]).prod() for k in (i, j)]
            overlaps.append(shared / (sum(areas) - shared))
        if not any(overlap > threshold for overlap in overlaps):  # 0 / 0 is not above it
            kept.append(i)
    return kept


def nms():
    """`kept`: indices in order of falling score; of equal scores the one with the lower index comes first."""
    written = torch.tensor([
        [0.0, 0.0, 10.0, 10.0], [0.0, 0.0, 10.0, 5.0],  # overlap exactly 0.5: stays at threshold 0.5
        [10.0, 0.0, 20.0, 10.0],  # touches the first
        [40.0, 40.0, 60.0, 60.0], [40.0, 40.0, 60.0, 60.0],  # the same box twice, the same score
        [41.0, 40.0, 61.0, 60.0], [44.0, 40.0, 64.0, 60.0],  # 0.905 and 0.667 with them
        [70.0, 70.0, 70.0, 70.0], [70.0, 70.0, 70.0, 70.0],  # no area: overlap 0 / 0
        [0.0, 0.0, 10.0, 10.25], [100.0, 0.0, 90.0, 10.0],  # corners swapped: negative area
    ], dtype=torch.float64)
    scores = [0.9, 0.8, 0.85, 0.7, 0.7, 0.7, 0.7, 0.6, 0.6, 0.9, 0.5]
    cases = [("written", written, torch.tensor(scores, dtype=torch.float64))]
    for name, count, extent in (("crowded", 60, 60.0), ("spread", 60, 300.0)):
        levels = torch.from_numpy(hash_values(name + " scores", count)).mul(8).floor() / 16 + 0.5  # many ties
        cases.append((name, hash_boxes(name, count, extent, 80.0), levels))
    found = []
    for name, boxes, scores in cases:
        kept = {str(t): torchvision.ops.nms(boxes, scores, t).tolist() for t in (0.5, 0.7)}
        assert kept == {str(t): plain_nms(boxes, scores.tolist(), t) for t in (0.5, 0.7)}, (name, kept)
        found.append({"name": name, "boxes": rounded(boxes), "scores": rounded(scores), "kept": kept})
    return {"source": SOURCE, "cases": found}


def box_decoding():
    """Offsets dx, dy, dw, dh against boxes; dw and dh (over their weight) are cut at ln(1000 / 16)."""
    boxes = torch.cat([hash_boxes("decoding boxes", 12, 300.0, 200.0),
                       torch.tensor([[5.0, 6.0, 5.0, 6.0], [-20.0, -10.0, 30.0, 40.0]], dtype=torch.float64)])
    offsets = torch.from_numpy(hash_values("decoding offsets", 4 * len(boxes))).view(-1, 4) * 2
    offsets[3] = torch.tensor([0.0, 0.0, 0.0, 0.0])
    offsets[5] = torch.tensor([0.1, -0.2, 6.0, 30.0])  # above the cut for weights 1; 30 / 5 also above it
    offsets = ((offsets * 4096).round() / 4096).double()
    cases = []
    for weights in ((1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)):
        coder = BoxCoder(weights)
        cases.append({"weights": weights, "clip": coder.bbox_xform_clip,
                      "decoded": rounded(coder.decode_single(offsets, boxes))})
    return {"source": SOURCE, "boxes": rounded(boxes), "offsets": rounded(offsets), "cases": cases}


def anchors():
    """Order: rows of the map, columns, ratios (height over width), sizes. Strides are picture // map, whole numbers."""
    sizes, ratios = (32, 64, 128, 256, 512), (0.5, 1.0, 2.0)
    generator = AnchorGenerator((sizes,), (ratios,))
    cases = []
    for picture, grid in (((64, 96), (2, 3)), ((70, 100), (2, 3))):
        batch = ImageList(torch.zeros(1, 3, *picture), [picture])
        cases.append({"picture": picture, "map": grid,
                      "anchors": rounded(generator(batch, [torch.zeros(1, 1, *grid)])[0])})
    return {"source": SOURCE + ", float32", "sizes": sizes, "ratios": ratios, "cases": cases}


def clip_boxes():
    boxes = torch.cat([hash_boxes("clip boxes", 6, 200.0, 150.0) - 60.0, torch.tensor([
        [-30.0, -20.0, -10.0, -5.0], [500.0, 400.0, 600.0, 450.0], [0.0, 0.0, 160.0, 120.0],
        [-1.0, 30.0, 161.0, 31.0]], dtype=torch.float64)])
    size = (120, 160)
    return {"source": SOURCE, "picture": size, "boxes": rounded(boxes),
            "clipped": rounded(torchvision.ops.clip_boxes_to_image(boxes, size))}


def resize_rule():
    """GeneralizedRCNNTransform, eval mode: short side to `min`, unless the long one would then pass `max`.

    sizes: [height, width] of the picture, resized, and padded to multiples of 32 below and to the right. The factor is
    a float32 quotient and the resized sides are cut down, hence sides one below the wanted one. `values` are a small
    picture normalised, then resized (bilinear, half-pixel centres, no antialiasing; the step between samples is the
    quotient of the whole sides, not the factor above), float32.
    """
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    transform = GeneralizedRCNNTransform(800, 1200, mean, std).eval()
    sizes = []
    for size in ((480, 640), (640, 480), (427, 640), (375, 500), (333, 500), (500, 333), (800, 1200), (1080, 1920),
                 (600, 1000), (100, 700), (612, 612), (1, 5), (1536, 2048), (799, 1199), (801, 1201), (363, 547)):
        images, _ = transform([torch.zeros(3, *size)])
        sizes.append({"picture": size, "resized": images.image_sizes[0], "padded": list(images.tensors.shape[2:])})
    small = GeneralizedRCNNTransform(12, 20, mean, std).eval()
    cases = []
    for shape in ((3, 5, 7), (3, 9, 31), (3, 30, 26)):
        picture = torch.from_numpy(hash_tensor("resize.input", shape)).add(1).div(2)
        images, _ = small([picture])
        height, width = images.image_sizes[0]
        cases.append({"input": {"name": "resize.input", "shape": list(shape), "mappedTo": "(value + 1) / 2"},
                      "resized": [height, width],
                      "values": rounded(images.tensors[0, :, :height, :width].flatten())})
    return {"source": SOURCE + ", float32", "min": 800, "max": 1200, "sizes": sizes,
            "small": {"min": 12, "max": 20, "mean": mean, "std": std}, "cases": cases}


ALL = {"roi-align": roi_align, "nms": nms, "box-decoding": box_decoding, "anchors": anchors, "clip-boxes": clip_boxes,
       "resize-rule": resize_rule}
