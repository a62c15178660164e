// The native half of live capture on Linux: AF_PACKET sockets and their rings. No protocol knowledge; src/capture/ring
// says when to call what, and native.ts there has the signatures.
#include "support.h"

NAPI_MODULE_INIT() {
  callprobe::define_socket(env, exports);
  callprobe::define_ring(env, exports);
  callprobe::define_filter(env, exports);
  callprobe::define_interface(env, exports);
  callprobe::define_process(env, exports);
  // Raised when a function's signature changes: an older binary is then not used.
  callprobe::set(env, exports, "version", 1.0);
  return exports;
}
