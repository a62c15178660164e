// Capture filters in libpcap's language. libpcap is looked for when a filter is compiled, so that neither building nor
// running without one needs it. Only its published ABI is used (pcap(3pcap)).
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <linux/filter.h>
#include <mutex>

#include "support.h"

namespace callprobe {
namespace {

struct Pcap;  // pcap_t
struct Program {  // struct bpf_program
  unsigned int length;
  sock_filter* instructions;
};

struct Library {
  void* handle = nullptr;
  Pcap* (*open_live)(const char*, int, int, int, char*) = nullptr;
  Pcap* (*open_dead)(int, int) = nullptr;
  int (*compile)(Pcap*, Program*, const char*, int, uint32_t) = nullptr;
  char* (*error_of)(Pcap*) = nullptr;
  void (*free_code)(Program*) = nullptr;
  void (*close)(Pcap*) = nullptr;
  const char* (*version)() = nullptr;
};

template <typename Function>
bool find(void* handle, const char* name, Function* function) {
  *function = reinterpret_cast<Function>(dlsym(handle, name));
  return *function != nullptr;
}

// nullptr when there is none.
const Library* library() {
  static Library loaded;
  static std::once_flag once;
  std::call_once(once, [] {
    for (const char* name : {"libpcap.so.1", "libpcap.so.0.8", "libpcap.so"}) {
      void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (handle == nullptr) continue;
      Library found;
      found.handle = handle;
      if (find(handle, "pcap_open_live", &found.open_live) && find(handle, "pcap_open_dead", &found.open_dead) &&
          find(handle, "pcap_compile", &found.compile) && find(handle, "pcap_geterr", &found.error_of) &&
          find(handle, "pcap_freecode", &found.free_code) && find(handle, "pcap_close", &found.close) &&
          find(handle, "pcap_lib_version", &found.version)) {
        loaded = found;
        return;
      }
      dlclose(handle);
    }
  });
  return loaded.handle == nullptr ? nullptr : &loaded;
}

// compileFilter(expression, interfaceName, linkType, snapBytes): ArrayBuffer of struct sock_filter.
// Throws with code NO_LIBPCAP or BAD_FILTER.
napi_value compile_filter(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::string expression = arguments.text(0);
  const std::string interface_name = arguments.text(1);
  const int link_type = arguments.integer(2);
  const int snap_bytes = arguments.integer(3);
  if (arguments.bad()) return nullptr;
  const Library* pcap = library();
  if (pcap == nullptr) return throw_text(env, "NO_LIBPCAP", "libpcap was not found");
  char error[512] = "";
  // Opened live, libpcap knows that the kernel takes VLAN tags out of the packet, and writes `vlan` accordingly.
  Pcap* handle = interface_name.empty() ? nullptr : pcap->open_live(interface_name.c_str(), snap_bytes, 0, 100, error);
  if (handle == nullptr) handle = pcap->open_dead(link_type, snap_bytes);
  if (handle == nullptr) return throw_text(env, "BAD_FILTER", "libpcap could not be started");
  Program program{};
  const uint32_t unknown_netmask = 0xffffffff;
  if (pcap->compile(handle, &program, expression.c_str(), 1, unknown_netmask) != 0) {
    const std::string why = pcap->error_of(handle);
    pcap->close(handle);
    return throw_text(env, "BAD_FILTER", why);
  }
  napi_value buffer;
  void* bytes = nullptr;
  const size_t length = program.length * sizeof(sock_filter);
  const napi_status status = napi_create_arraybuffer(env, length, &bytes, &buffer);
  if (status == napi_ok && bytes != nullptr) {
    // "All of it" in a filter is what the caller wants to keep at most.
    for (unsigned i = 0; i < program.length; i++) {
      sock_filter& step = program.instructions[i];
      if (BPF_CLASS(step.code) == BPF_RET && step.k != 0) step.k = static_cast<uint32_t>(snap_bytes);
    }
    memcpy(bytes, program.instructions, length);
  }
  pcap->free_code(&program);
  pcap->close(handle);
  return status == napi_ok ? buffer : throw_text(env, "BAD_FILTER", "out of memory");
}

// filterLibrary(): libpcap's version text, or undefined without one.
napi_value filter_library(napi_env env, napi_callback_info) {
  const Library* pcap = library();
  if (pcap == nullptr) return nothing(env);
  napi_value text;
  napi_create_string_utf8(env, pcap->version(), NAPI_AUTO_LENGTH, &text);
  return text;
}

}  // namespace

void define_filter(napi_env env, napi_value exports) {
  define(env, exports, "compileFilter", compile_filter);
  define(env, exports, "filterLibrary", filter_library);
}

}  // namespace callprobe
