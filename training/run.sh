#!/bin/sh
# Trains in the background on one core: ./run.sh CORE [arguments of train_all.py].
# Log and process id go to .runs. The same call again goes on where the last one stopped.
set -e
cd "$(dirname "$0")"
core=$1
shift
mkdir -p .runs
# Keeps freed memory in the process: otherwise every step pays page faults for its big tensors.
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296 \
       MALLOC_TOP_PAD_=268435456 OMP_NUM_THREADS=1
setsid nohup taskset -c "$core" nice -n 5 "${PYTHON:-/usr/bin/python3}" train_all.py "$@" \
    >>.runs/log.txt 2>&1 </dev/null &
echo $! >.runs/pid
