#!/bin/sh
# Trains in the background on one core: ./run.sh NAME CORE [arguments of train.py].
# Log, process id and checkpoint go to .runs/NAME. A second call with --resume goes on.
set -e
cd "$(dirname "$0")"
name=$1 core=$2
shift 2
mkdir -p ".runs/$name"
# Keeps freed memory in the process: otherwise every step pays page faults for its big tensors.
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296 \
       MALLOC_TOP_PAD_=268435456
setsid nohup taskset -c "$core" nice -n 5 "${PYTHON:-/usr/bin/python3}" train.py \
    --out ".runs/$name" "$@" >>".runs/$name/log.txt" 2>&1 </dev/null &
echo $! >".runs/$name/pid"
