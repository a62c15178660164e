// What the kernel and the driver say of a network interface: netdevice(7), linux/ethtool.h.
#include <cerrno>
#include <cstring>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "support.h"

namespace callprobe {
namespace {

// A socket for ioctls, closed at the end of the scope.
struct Asker {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ~Asker() {
    if (fd >= 0) close(fd);
  }
};

bool name_into(const std::string& name, ifreq* request) {
  memset(request, 0, sizeof *request);
  if (name.empty() || name.size() >= IFNAMSIZ) return false;
  memcpy(request->ifr_name, name.c_str(), name.size());
  return true;
}

// interfaceState(name): {index, up, running, loopback, hardwareType, mtu}, or undefined when there is no such interface.
napi_value interface_state(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::string name = arguments.text(0);
  if (arguments.bad()) return nullptr;
  Asker asker;
  ifreq request;
  if (asker.fd < 0) return throw_errno(env, "socket", errno);
  if (!name_into(name, &request) || ioctl(asker.fd, SIOCGIFINDEX, &request) != 0) return nothing(env);
  napi_value state = object(env);
  set(env, state, "index", static_cast<double>(request.ifr_ifindex));
  if (ioctl(asker.fd, SIOCGIFFLAGS, &request) != 0) return nothing(env);
  const int flags = request.ifr_flags;
  set(env, state, "up", boolean(env, (flags & IFF_UP) != 0));
  set(env, state, "running", boolean(env, (flags & IFF_RUNNING) != 0));
  set(env, state, "loopback", boolean(env, (flags & IFF_LOOPBACK) != 0));
  if (ioctl(asker.fd, SIOCGIFHWADDR, &request) != 0) return nothing(env);
  set(env, state, "hardwareType", static_cast<double>(request.ifr_hwaddr.sa_family));
  if (ioctl(asker.fd, SIOCGIFMTU, &request) != 0) return nothing(env);
  set(env, state, "mtu", static_cast<double>(request.ifr_mtu));
  return state;
}

// ETHTOOL_G* of one value; -1 when the driver does not tell.
double value_of(int fd, const std::string& name, uint32_t command) {
  ifreq request;
  struct ethtool_value asked{};
  asked.cmd = command;
  if (!name_into(name, &request)) return -1;
  request.ifr_data = reinterpret_cast<char*>(&asked);
  return ioctl(fd, SIOCETHTOOL, &request) == 0 ? asked.data : -1;
}

template <typename Command>
bool ask(int fd, const std::string& name, Command* command) {
  ifreq request;
  if (!name_into(name, &request)) return false;
  request.ifr_data = reinterpret_cast<char*>(command);
  return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

// The active features by name ("rx-gro", "rx-lro", "rx-udp-gro-forwarding", ...): ETHTOOL_GFEATURES.
void set_features(napi_env env, napi_value into, int fd, const std::string& name) {
  alignas(ethtool_sset_info) char sizes_memory[sizeof(ethtool_sset_info) + sizeof(uint32_t)]{};
  auto* sizes = reinterpret_cast<ethtool_sset_info*>(sizes_memory);
  sizes->cmd = ETHTOOL_GSSET_INFO;
  sizes->sset_mask = 1ULL << ETH_SS_FEATURES;
  if (!ask(fd, name, sizes) || sizes->sset_mask == 0) return;
  const uint32_t count = sizes->data[0];
  if (count == 0 || count > 1024) return;
  std::vector<char> names_memory(sizeof(ethtool_gstrings) + count * ETH_GSTRING_LEN);
  auto* names = reinterpret_cast<ethtool_gstrings*>(names_memory.data());
  names->cmd = ETHTOOL_GSTRINGS;
  names->string_set = ETH_SS_FEATURES;
  names->len = count;
  const uint32_t blocks = (count + 31) / 32;
  std::vector<char> bits_memory(sizeof(ethtool_gfeatures) + blocks * sizeof(ethtool_get_features_block));
  auto* bits = reinterpret_cast<ethtool_gfeatures*>(bits_memory.data());
  bits->cmd = ETHTOOL_GFEATURES;
  bits->size = blocks;
  if (!ask(fd, name, names) || !ask(fd, name, bits)) return;
  napi_value features = object(env);
  for (uint32_t i = 0; i < count; i++) {
    char feature[ETH_GSTRING_LEN + 1] = "";
    memcpy(feature, names->data + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
    if (feature[0] != '\0')
      set(env, features, feature, boolean(env, (bits->features[i / 32].active >> (i % 32) & 1) != 0));
  }
  set(env, into, "features", features);
}

// driverState(name): what the driver tells; what it does not is absent.
// {features{}, lro, speedMbps, ringSize, ringMaximum, stampingFlags, hardwareClock, hardwareFilters, driver}
napi_value driver_state(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::string name = arguments.text(0);
  if (arguments.bad()) return nullptr;
  Asker asker;
  if (asker.fd < 0) return throw_errno(env, "socket", errno);
  napi_value state = object(env);
  const double flags = value_of(asker.fd, name, ETHTOOL_GFLAGS);
  if (flags >= 0) set(env, state, "lro", boolean(env, (static_cast<uint32_t>(flags) & ETH_FLAG_LRO) != 0));
  set_features(env, state, asker.fd, name);
  ethtool_ringparam ring{};
  ring.cmd = ETHTOOL_GRINGPARAM;
  if (ask(asker.fd, name, &ring) && ring.rx_max_pending > 0) {
    set(env, state, "ringSize", static_cast<double>(ring.rx_pending));
    set(env, state, "ringMaximum", static_cast<double>(ring.rx_max_pending));
  }
  ethtool_ts_info stamping{};
  stamping.cmd = ETHTOOL_GET_TS_INFO;
  if (ask(asker.fd, name, &stamping)) {
    set(env, state, "stampingFlags", static_cast<double>(stamping.so_timestamping));
    set(env, state, "hardwareClock", static_cast<double>(stamping.phc_index));
    set(env, state, "hardwareFilters", static_cast<double>(stamping.rx_filters));
  }
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  if (ask(asker.fd, name, &driver)) set_text(env, state, "driver", std::string(driver.driver, strnlen(driver.driver, sizeof driver.driver)));
  return state;
}

// startHardwareStamps(name): the card stamps every packet. Needs CAP_NET_ADMIN. Throws with errno.
napi_value start_hardware_stamps(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const std::string name = arguments.text(0);
  if (arguments.bad()) return nullptr;
  Asker asker;
  ifreq request;
  if (asker.fd < 0) return throw_errno(env, "socket", errno);
  if (!name_into(name, &request)) return throw_errno(env, "SIOCSHWTSTAMP", ENODEV);
  hwtstamp_config config{};
  request.ifr_data = reinterpret_cast<char*>(&config);
  // Another program (a PTP daemon) may have started them: leave its settings alone when they do.
  if (ioctl(asker.fd, SIOCGHWTSTAMP, &request) == 0 && config.rx_filter == HWTSTAMP_FILTER_ALL) return nothing(env);
  config.flags = 0;
  config.rx_filter = HWTSTAMP_FILTER_ALL;
  if (ioctl(asker.fd, SIOCSHWTSTAMP, &request) != 0) return throw_errno(env, "SIOCSHWTSTAMP", errno);
  return nothing(env);
}

}  // namespace

void define_interface(napi_env env, napi_value exports) {
  define(env, exports, "interfaceState", interface_state);
  define(env, exports, "driverState", driver_state);
  define(env, exports, "startHardwareStamps", start_hardware_stamps);
}

}  // namespace callprobe
