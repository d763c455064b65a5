#!/bin/sh
# setup.sh [FILE]: make the Python environment of a file of requirements, and
# print its folder.  Without FILE it is the requirements.txt beside this script,
# in which LLaMA-Factory runs on a CPU.
#
# The file is the whole, and has a line "# imports: MODULE, ..." of what must
# import in the end.
#
# It is kept in $XDG_CACHE_HOME/ossicle (else ~/.cache/ossicle), under the
# digest of all that makes it; one that was left half-made is made again.
# Needs Python's venv, and FFmpeg's libraries for torchcodec.  2 GB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
file=${1:-$here/requirements.txt}
python=${PYTHON:-python3}

digest=$("$python" - "$file" "$here/setup.sh" <<'END'
import hashlib, sys
made_by = sys.version + sys.prefix
made_by += "".join(open(path).read() for path in sys.argv[1:])
print(hashlib.sha256(made_by.encode()).hexdigest()[:16])
END
)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/ossicle
venv=$cache/originals-$digest
imports=$(sed -n 's/^# imports: //p' "$file")

if [ ! -e "$venv/complete" ]; then
	echo "installing the originals into $venv" >&2
	rm -rf "$venv"
	mkdir -p "$cache"
	"$python" -m venv "$venv"
	# LLaMA-Factory's requirements that nothing here uses (gradio,
	# torchvision, fastapi and the like) stay out: the file is the whole.
	"$venv/bin/pip" install -q --disable-pip-version-check --no-deps \
	    -r "$file" >&2
	# A torchaudio built for CUDA has extensions that want its libraries;
	# without them it imports as pure Python, which is all that is used:
	# load (through torchcodec) and functional.resample.
	"$venv/bin/python" -c 'import torchaudio' 2>/dev/null ||
	    rm -f "$venv"/lib/python3*/site-packages/torchaudio/lib/*.so
	"$venv/bin/python" -c "import $imports" >&2
	: >"$venv/complete"
fi
echo "$venv"
