// The packet socket: made, set up, bound, filtered, joined to a fanout group, asked for its statistics.
// packet(7); linux/if_packet.h; Documentation/networking/packet_mmap.rst
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

namespace callprobe {
namespace {

napi_value set_option(napi_env env, int fd, int level, int name, const void* value, socklen_t length,
                      const char* called) {
  if (setsockopt(fd, level, name, value, length) != 0) return throw_errno(env, called, errno);
  return nothing(env);
}

// openSocket(): fd. Nothing is received before bindSocket.
napi_value open_socket(napi_env env, napi_callback_info) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return fd < 0 ? throw_errno(env, "socket", errno) : number(env, fd);
}

// closeSocket(fd)
napi_value close_socket(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  if (!arguments.bad()) close(fd);
  return nothing(env);
}

// setUpRing(fd, blockBytes, blocks, frameBytes, retireMs, reservedBytes): TPACKET_V3, before bindSocket.
napi_value set_up_ring(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  tpacket_req3 request{};
  request.tp_block_size = static_cast<unsigned>(arguments.integer(1));
  request.tp_block_nr = static_cast<unsigned>(arguments.integer(2));
  request.tp_frame_size = static_cast<unsigned>(arguments.integer(3));
  request.tp_retire_blk_tov = static_cast<unsigned>(arguments.integer(4));
  const unsigned reserve = static_cast<unsigned>(arguments.integer(5));
  if (arguments.bad()) return nullptr;
  request.tp_frame_nr = request.tp_block_size / request.tp_frame_size * request.tp_block_nr;
  const int version = TPACKET_V3;
  if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0)
    return throw_errno(env, "PACKET_VERSION", errno);
  if (setsockopt(fd, SOL_PACKET, PACKET_RESERVE, &reserve, sizeof reserve) != 0)
    return throw_errno(env, "PACKET_RESERVE", errno);
  return set_option(env, fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof request, "PACKET_RX_RING");
}

// bindSocket(fd, interfaceIndex): packets of every protocol from now on. Again after the interface was made anew.
napi_value bind_socket(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = arguments.integer(1);
  if (arguments.bad()) return nullptr;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return throw_errno(env, "bind", errno);
  return nothing(env);
}

// setPromiscuous(fd, interfaceIndex): until the socket is closed.
napi_value set_promiscuous(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  packet_mreq membership{};
  membership.mr_ifindex = arguments.integer(1);
  membership.mr_type = PACKET_MR_PROMISC;
  if (arguments.bad()) return nullptr;
  return set_option(env, fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership,
                    "PACKET_ADD_MEMBERSHIP");
}

// ignoreOutgoing(fd): on the loopback interface every packet would be seen twice.
napi_value ignore_outgoing(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  const int on = 1;
  if (arguments.bad()) return nullptr;
  return set_option(env, fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on, "PACKET_IGNORE_OUTGOING");
}

// A program of struct sock_filter, as bytes.
bool program_of(napi_env env, Arguments& arguments, size_t at, sock_fprog* program) {
  size_t length = 0;
  uint8_t* bytes = arguments.bytes(at, &length);
  if (arguments.bad()) return false;
  if (length == 0 || length % sizeof(sock_filter) != 0 || length / sizeof(sock_filter) > BPF_MAXINSNS) {
    throw_errno(env, "filter program", EINVAL);
    return false;
  }
  program->len = static_cast<unsigned short>(length / sizeof(sock_filter));
  program->filter = reinterpret_cast<sock_filter*>(bytes);
  return true;
}

// attachFilter(fd, program): classic BPF; what it returns is how much of a packet is kept, 0 for none.
napi_value attach_filter(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  sock_fprog program{};
  if (!program_of(env, arguments, 1, &program)) return nullptr;
  return set_option(env, fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program, "SO_ATTACH_FILTER");
}

// joinFanout(fd, group, mode): after bindSocket. mode: PACKET_FANOUT_* with flags.
napi_value join_fanout(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  const uint32_t group = static_cast<uint32_t>(arguments.integer(1)) & 0xffff;
  const uint32_t mode = static_cast<uint32_t>(arguments.integer(2));
  if (arguments.bad()) return nullptr;
  const uint32_t value = group | mode << 16;
  return set_option(env, fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof value, "PACKET_FANOUT");
}

// setFanoutProgram(fd, program): classic BPF; what it returns, modulo the group's size, is the member.
napi_value set_fanout_program(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  sock_fprog program{};
  if (!program_of(env, arguments, 1, &program)) return nullptr;
  return set_option(env, fd, SOL_PACKET, PACKET_FANOUT_DATA, &program, sizeof program, "PACKET_FANOUT_DATA");
}

// stampOnArrival(fd): the kernel stamps packets where they come in, not where this socket gets them.
napi_value stamp_on_arrival(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  if (arguments.bad()) return nullptr;
  const int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  return set_option(env, fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags, "SO_TIMESTAMPING");
}

// useHardwareStamps(fd): the ring shows the network card's time where the card gives one.
napi_value use_hardware_stamps(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  if (arguments.bad()) return nullptr;
  const int flags = SOF_TIMESTAMPING_RAW_HARDWARE;
  return set_option(env, fd, SOL_PACKET, PACKET_TIMESTAMP, &flags, sizeof flags, "PACKET_TIMESTAMP");
}

// readStatistics(fd, Uint32Array(3)): packets (drops among them), drops, freezes since the last call.
napi_value read_statistics(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  size_t length = 0;
  uint8_t* out = arguments.bytes(1, &length);
  if (arguments.bad()) return nullptr;
  tpacket_stats_v3 statistics{};
  socklen_t size = sizeof statistics;
  if (length < 12) return throw_errno(env, "PACKET_STATISTICS", EINVAL);
  if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0)
    return throw_errno(env, "PACKET_STATISTICS", errno);
  const uint32_t values[3] = {statistics.tp_packets, statistics.tp_drops, statistics.tp_freeze_q_cnt};
  memcpy(out, values, sizeof values);
  return nothing(env);
}

// pollSocket(fd, timeoutMs): blocks this thread until a block is ready. 0: timed out or interrupted; else poll(2)'s events.
napi_value poll_socket(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  pollfd waited{};
  waited.fd = arguments.integer(0);
  waited.events = POLLIN;
  const int timeout_ms = arguments.integer(1);
  if (arguments.bad()) return nullptr;
  const int ready = poll(&waited, 1, timeout_ms);
  if (ready < 0 && errno != EINTR) return throw_errno(env, "poll", errno);
  return number(env, ready > 0 ? waited.revents : 0);
}

// takeSocketError(fd): errno that waits on the socket (ENETDOWN when the interface went down), 0 for none.
napi_value take_socket_error(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  if (arguments.bad()) return nullptr;
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return throw_errno(env, "SO_ERROR", errno);
  return number(env, error);
}

}  // namespace

void define_socket(napi_env env, napi_value exports) {
  define(env, exports, "openSocket", open_socket);
  define(env, exports, "closeSocket", close_socket);
  define(env, exports, "setUpRing", set_up_ring);
  define(env, exports, "bindSocket", bind_socket);
  define(env, exports, "setPromiscuous", set_promiscuous);
  define(env, exports, "ignoreOutgoing", ignore_outgoing);
  define(env, exports, "attachFilter", attach_filter);
  define(env, exports, "joinFanout", join_fanout);
  define(env, exports, "setFanoutProgram", set_fanout_program);
  define(env, exports, "stampOnArrival", stamp_on_arrival);
  define(env, exports, "useHardwareStamps", use_hardware_stamps);
  define(env, exports, "readStatistics", read_statistics);
  define(env, exports, "pollSocket", poll_socket);
  define(env, exports, "takeSocketError", take_socket_error);
}

}  // namespace callprobe
