"""What trainings printed -> how the PSNR of each network rose with its iterations, as JSON.

    python3 curves.py adam=log-1.txt soap=log-2.txt together:4=log-3.txt > curves.json

Logs in the order of training, each after the name of its stage and, if it was not 1, the --batch. A network in a later stage goes on
where it was in the earlier one.
"""
import json
import re
import sys

LINE = re.compile(r"^ *(?P<iteration>\d+)  (?P<network>\w+) x(?P<scale>\d)  (?P<minutes>[\d.]+) min  Set5 (?P<Set5>[\d.]+)  Set14 (?P<Set14>[\d.]+)$")


def curves(logs):
    """[(stage, batch, lines)] -> [{network, stage, batch, points}], a point being iteration, minutes and the PSNR on both sets."""
    found = {}
    for stage, batch, lines in logs:
        for line in lines:
            seen = LINE.match(line.rstrip())
            if not seen:
                continue
            points = found.setdefault((f"{seen['network']}-x{seen['scale']}", stage, batch), [])
            point = [int(seen["iteration"]), *(float(seen[key]) for key in ("minutes", "Set5", "Set14"))]
            if not points or point[0] > points[-1][0]:  # a resumed run may repeat some
                points.append(point)
    return [{"network": network, "stage": stage, "batch": batch, "points": points} for (network, stage, batch), points in found.items()]


def numbered(stage):
    """ "together:4" -> "together", 4."""
    name, _, batch = stage.partition(":")
    return name, int(batch or 1)


def main():
    logs = []
    for argument in sys.argv[1:]:
        stage, path = argument.split("=", 1)
        with open(path) as file:
            logs.append((*numbered(stage), file.readlines()))
    rows = ",\n".join(" " + json.dumps(curve) for curve in curves(logs))
    print(f"[\n{rows}\n]")


if __name__ == "__main__":
    main()
