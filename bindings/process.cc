// The process: giving up its capabilities in every thread, and what the system says of its clock.
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <csignal>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <linux/capability.h>
#include <mutex>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "support.h"

namespace callprobe {
namespace {

// Capabilities belong to threads, and Node has several before the first line of JavaScript: each has to give up its
// own (capabilities(7)). A signal brings every thread to do so.
std::atomic<int> done{0};
std::atomic<int> failed{0};

// Node's debugger thread blocks every signal that it can. The C library keeps 33 for reaching all threads itself
// (setuid(2) does) and blocks it nowhere; it is borrowed for a moment.
constexpr int BORROWED_SIGNAL = 33;
constexpr int ORDINARY_SIGNAL_BELOW_MAXIMUM = 3;
constexpr size_t KERNEL_SET_BYTES = 8;
// At least as large as the kernel's struct sigaction, whose members differ between architectures.
struct KernelAction {
  unsigned long words[16];
};

int drop_of_this_thread() {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  // Without permitted capabilities there are no ambient ones either.
  return static_cast<int>(syscall(SYS_capset, &header, none));
}

void on_signal(int) {
  const int saved = errno;
  if (drop_of_this_thread() != 0) failed.fetch_add(1);
  done.fetch_add(1);
  errno = saved;
}

bool holds_capabilities(pid_t thread) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, thread};
  __user_cap_data_struct held[2]{};
  if (syscall(SYS_capget, &header, held) != 0) return false;
  return (held[0].permitted | held[1].permitted | held[0].effective | held[1].effective) != 0;
}

// Signals every thread that still holds a capability. How many there were; -1 on failure.
int drop_round() {
  DIR* folder = opendir("/proc/self/task");
  if (folder == nullptr) return -1;
  const pid_t self = static_cast<pid_t>(syscall(SYS_gettid));
  int asked = 0;
  done.store(0);
  for (dirent* entry = readdir(folder); entry != nullptr; entry = readdir(folder)) {
    const pid_t thread = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (thread <= 0 || !holds_capabilities(thread)) continue;
    if (thread == self) {
      if (drop_of_this_thread() != 0) failed.fetch_add(1);
      asked++;
      done.fetch_add(1);
    } else if (syscall(SYS_tgkill, getpid(), thread, BORROWED_SIGNAL) == 0) {
      asked++;
    }
  }
  closedir(folder);
  // Threads that sleep in a system call wake up for it; five seconds are beyond any doubt.
  const timespec pause{0, 1000000};
  for (int i = 0; i < 5000 && done.load() < asked; i++) nanosleep(&pause, nullptr);
  return done.load() < asked ? -1 : asked;
}

// Installs `on_signal` for the borrowed signal. The C library refuses it by name, so the kernel's form of the action
// (return trampoline included) is taken from an ordinary signal.
bool borrow_signal(KernelAction* before) {
  const int ordinary = SIGRTMAX - ORDINARY_SIGNAL_BELOW_MAXIMUM;
  struct sigaction action {};
  struct sigaction restored {};
  KernelAction form{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  if (sigaction(ordinary, &action, &restored) != 0) return false;
  const bool borrowed = syscall(SYS_rt_sigaction, ordinary, nullptr, &form, KERNEL_SET_BYTES) == 0 &&
                        syscall(SYS_rt_sigaction, BORROWED_SIGNAL, &form, before, KERNEL_SET_BYTES) == 0;
  sigaction(ordinary, &restored, nullptr);
  return borrowed;
}

// dropCapabilities(): true when no thread of the process holds any now, nor can get one by executing a file.
napi_value drop_capabilities(napi_env env, napi_callback_info) {
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  KernelAction before{};
  if (!borrow_signal(&before)) return throw_errno(env, "rt_sigaction", errno);
  failed.store(0);
  // A thread may have been started by one that had not been reached: until a round finds none.
  int found = drop_round();
  for (int round = 0; round < 10 && found > 0; round++) found = drop_round();
  syscall(SYS_rt_sigaction, BORROWED_SIGNAL, &before, nullptr, KERNEL_SET_BYTES);
  return boolean(env, found == 0 && failed.load() == 0);
}

// clockState(): {synchronized, estimatedErrorMs}: adjtimex(2)
napi_value clock_state(napi_env env, napi_callback_info) {
  timex state{};
  const int status = adjtimex(&state);
  napi_value result = object(env);
  set(env, result, "synchronized", boolean(env, status >= 0 && status != TIME_ERROR && (state.status & STA_UNSYNC) == 0));
  set(env, result, "estimatedErrorMs", static_cast<double>(state.esterror) / 1000);
  return result;
}

}  // namespace

void define_process(napi_env env, napi_value exports) {
  define(env, exports, "dropCapabilities", drop_capabilities);
  define(env, exports, "clockState", clock_state);
}

}  // namespace callprobe
