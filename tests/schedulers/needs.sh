# Sourced by the sandboxes: `skip WHY` ends a test that cannot run here. CTest takes 77 for skipped;
# CI sets BPD_NO_SKIPS and takes it for a failure.
skip() {
  echo "skipped: $*" >&2
  [ -z "${BPD_NO_SKIPS:-}" ] || exit 1
  exit 77
}
need() {
  local tool
  [ "$(id -u)" = 0 ] || skip "needs root, for namespaces of its own"
  for tool in unshare "$@"; do
    command -v "$tool" >/dev/null || skip "$tool is missing"
  done
  # In most containers, and under a plain chroot, even root may not.
  unshare --mount --pid --fork --mount-proc --propagation private true 2>/dev/null ||
    skip "namespaces cannot be made here"
}
