#!/usr/bin/env bash
# The one door to Dropforge. Finds a Python, makes the environment that a command needs, and hands over to `infra/`.
set -euo pipefail

usage() {
  cat <<'EOF'
Dropforge: drop a file, forge a model.

  ./deploy.sh local [--once] [--months N]   run everything on this machine, with the flights of 2013
  ./deploy.sh test [PYTEST ARGUMENTS]       lint, check types, and pass the tests
  ./deploy.sh emulators                     only the Google Cloud emulators, for your own code
  ./deploy.sh build                         make the functions' bundles in dist/

  ./deploy.sh init FILE                     draft a pipeline.yaml from a sample of the data
  ./deploy.sh deploy-pipeline FILE          check a pipeline.yaml and put it in place
  ./deploy.sh drop PIPELINE FILE...         drop files and follow them to the verdict
  ./deploy.sh status [PIPELINE]             what arrived, what was trained, what serves, what is under way
  ./deploy.sh accuracy PIPELINE             how good its answers were, slice by slice, over time
  ./deploy.sh loads PIPELINE                every file, its rows, its first error and who brought it
  ./deploy.sh report PIPELINE [BATCH]       what arrived and what changed, as one HTML file
  ./deploy.sh quarantine ACTION             list, show, replay, release or discard what did not pass
  ./deploy.sh train PIPELINE                train now, on everything that was accepted
  ./deploy.sh decisions PIPELINE            why a training began, or did not, and what it was expected to take
  ./deploy.sh models PIPELINE               every model that was trained, and what became of it
  ./deploy.sh history PIPELINE [--at TIME]  what served when, and why
  ./deploy.sh lineage PIPELINE VERSION      what a model was made from, to the generations of files
  ./deploy.sh diff PIPELINE V1 V2           what is different between two models
  ./deploy.sh publish PIPELINE CANDIDATE    publish what the judge refused, in your name
  ./deploy.sh rollback PIPELINE             return to what served before, until released
  ./deploy.sh trace PIPELINE FILE           the way of a dropped file to the served model, step by step
  ./deploy.sh reproduce PIPELINE VERSION    train a model again and compare it, byte for byte
  ./deploy.sh recommend PIPELINE            which mode of serving is cheapest for its traffic

  ./deploy.sh reset                         forget all local state

`./deploy.sh COMMAND --help` says more of each.
EOF
}

export DROPFORGE_CALLED_FROM=$PWD # what file names on the command line are relative to
cd "$(dirname "${BASH_SOURCE[0]}")"
home="$PWD/.dropforge"

say() { printf '\033[2m[set-up]\033[0m %s\n' "$*" >&2; }

# A name on the path may be a shim that refuses, so a Python counts only when it really runs and is new enough.
runs() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1; }

find_python() {
  local candidate shims
  shims=$(dirname "$(command -v python3 || echo /nowhere/python3)")
  for candidate in "${DROPFORGE_PYTHON:-}" python3.13 python3.14 python3 python python3.15 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 "$shims"/../versions/*/bin/python3 \
    "$HOME"/.local/share/uv/python/*/bin/python3 /opt/python*/bin/python3; do
    if [ -n "$candidate" ] && runs "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

get_uv() {
  if command -v uv >/dev/null 2>&1; then
    command -v uv
    return 0
  fi
  local old
  for old in python3 python; do
    if "$old" -m pip install --quiet --target "$home/uv" uv >/dev/null 2>&1 && [ -x "$home/uv/bin/uv" ]; then
      echo "$home/uv/bin/uv"
      return 0
    fi
  done
  return 1
}

no_python() {
  cat >&2 <<'EOF'
Dropforge needs Python 3.13 or newer. None that runs was found on the path or under pyenv's versions, and uv could not
fetch one. Install one (for example `apt-get install python3.13 python3.13-venv` where your release has it), or name one:
  DROPFORGE_PYTHON=/path/to/python3.13 ./deploy.sh local
EOF
  exit 1
}

make_environment() { # FOLDER
  rm -rf "$1"
  local python uv
  if python=$(find_python); then
    # Debian's python3 comes without ensurepip unless python3-venv is installed; uv makes an environment without it.
    if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
      "$python" -m venv "$1"
    elif uv=$(get_uv); then
      "$uv" venv --quiet --seed --python "$python" "$1"
    elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
      say "installing python3-venv"
      apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null
      "$python" -m venv "$1"
    else
      echo "Expected a Python with ensurepip, or uv. Found neither: install python3-venv." >&2
      exit 1
    fi
  elif uv=$(get_uv) && "$uv" venv --quiet --seed --python 3.13 "$1" >&2; then
    :
  else
    no_python
  fi
}

# Installs pinned requirements, compiled: importing google.cloud.aiplatform takes 13 s uncompiled and under 3 s compiled.
install() { # FOLDER ARGUMENTS...
  local folder=$1
  shift
  if [ ! -x "$folder/bin/uv" ]; then
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$(grep '^uv==' tests/requirements.txt)"
  fi
  # System certificates, as pip uses them: companies sign their proxies with their own.
  if ! VIRTUAL_ENV="$folder" UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 \
    "$folder/bin/uv" pip install --quiet --compile-bytecode "$@" 2>"$home/uv.log"; then
    say "uv could not install ($(tail -n 1 "$home/uv.log")); trying pip"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
  fi
}

ensure() { # NAME WHAT REQUIREMENTS-FILE...
  local name=$1 what=$2 folder="$home/$1" stamp file arguments=()
  shift 2
  for file in "$@"; do
    case $file in --*) arguments+=("$file") ;; *) arguments+=(-r "$file") ;; esac
  done
  local files=("${@/#--*/}")
  stamp="$folder/.complete-$(cat ${files[@]} | cksum | cut -d' ' -f1)"
  [ -e "$stamp" ] && return 0
  say "$what"
  mkdir -p "$home"
  # Commands may run side by side; the first makes the environment, the others wait for it.
  (
    flock 9
    [ -e "$stamp" ] && exit 0
    [ -x "$folder/bin/python" ] && "$folder/bin/python" -c '' 2>/dev/null || make_environment "$folder"
    install "$folder" "${arguments[@]}"
    touch "$stamp"
  ) 9>"$home/$name.lock"
}

base() { ensure env "installing the packages of requirements.txt (once, about a minute)" requirements.txt; }
bigquery() { ensure bigquery-env "installing the BigQuery emulator (once)" emulators/bigquery/requirements.txt --no-deps; }
tools() { ensure env "installing the test tools (once)" requirements.txt tests/requirements.txt; }

command=${1:-}
case $command in
  "" | help | -h | --help)
    usage
    exit 0
    ;;
  test)
    tools
    bigquery
    ;;
  local | emulators)
    base
    bigquery
    ;;
  build | init | deploy-pipeline | drop | status | loads | accuracy | report | quarantine | train | decisions | models | history | lineage | diff | publish | rollback | trace | reproduce | recommend)
    base
    ;;
  reset) ;;
  *)
    echo "There is no command '$command'." >&2
    usage >&2
    exit 2
    ;;
esac
shift

if [ "$command" = reset ]; then
  exec bash infra/reset.sh "$home" "$@"
fi
export PYTHONPATH="$PWD:$PWD/shared" PYTHONUNBUFFERED=1
exec "$home/env/bin/python" -m infra "$command" "$@"
