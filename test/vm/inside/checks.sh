# Read by the other scripts in the machine. Each check prints one line, which the test outside turns into a test.

# passes NAME COMMAND…: ends with 0
passes() {
  name=$1; shift
  if output=$("$@" 2>&1); then echo "vm-ok $name"; else echo "vm-not-ok $name # status $?: $(echo "$output" | tail -n 6 | tr '\n' '|')"; fi
}

# prints NAME EXPECTED COMMAND…: ends with 0 and its standard output is EXPECTED
prints() {
  name=$1; expected=$2; shift 2
  stderr=$(mktemp); output=$("$@" 2>"$stderr"); status=$?
  if [ "$status" = 0 ] && [ "$output" = "$expected" ]; then echo "vm-ok $name"
  else echo "vm-not-ok $name # status $status, expected '$expected', printed '$(echo "$output" | tail -n 4 | tr '\n' '|')' $(tail -n 4 "$stderr" | tr '\n' '|')"; fi
  rm -f "$stderr"
}

# ends NAME STATUS COMMAND…: ends with STATUS
ends() {
  name=$1; expected=$2; shift 2
  output=$("$@" 2>&1); status=$?
  if [ "$status" = "$expected" ]; then echo "vm-ok $name"; else echo "vm-not-ok $name # status $status, not $expected: $(echo "$output" | tail -n 6 | tr '\n' '|')"; fi
}

skips() { echo "vm-skip $1 # $2"; }
