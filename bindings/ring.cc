// The ring's memory: mapped once, shown to JavaScript as an ArrayBuffer, or copied block by block where an engine
// refuses memory that is not its own.
#include <atomic>
#include <cerrno>
#include <cstring>
#include <linux/if_packet.h>
#include <sys/mman.h>

#include "support.h"

namespace callprobe {
namespace {

// Owns a mapping. JavaScript holds it as an External; the ArrayBuffer over it, if there is one, keeps it as well.
struct Mapping {
  void* memory;
  size_t length;
  std::atomic<int> holders;

  void unmap() {
    if (memory != nullptr) munmap(memory, length);
    memory = nullptr;
  }
  void let_go() {
    if (holders.fetch_sub(1) != 1) return;
    unmap();
    delete this;
  }
};

void finalize(napi_env, void*, void* hint) {
  static_cast<Mapping*>(hint)->let_go();
}

Mapping* mapping_of(napi_env env, Arguments& arguments, size_t at) {
  void* result = nullptr;
  if (napi_get_value_external(env, arguments.value(at), &result) != napi_ok) {
    napi_throw_type_error(env, nullptr, "not a ring");
    return nullptr;
  }
  return static_cast<Mapping*>(result);
}

// mapRing(fd, bytes): handle. The memory is shared with the kernel.
napi_value map_ring(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  const int fd = arguments.integer(0);
  const int32_t length = arguments.integer(1);
  if (arguments.bad()) return nullptr;
  void* memory = mmap(nullptr, static_cast<size_t>(length), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return throw_errno(env, "mmap", errno);
  Mapping* mapping = new Mapping{memory, static_cast<size_t>(length), {1}};
  napi_value handle;
  if (napi_create_external(env, mapping, finalize, mapping, &handle) != napi_ok) {
    mapping->let_go();
    return throw_errno(env, "mmap", ENOMEM);
  }
  return handle;
}

// ringMemory(handle): ArrayBuffer over it, or undefined where the engine takes no foreign memory.
napi_value ring_memory(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Mapping* mapping = mapping_of(env, arguments, 0);
  if (mapping == nullptr || mapping->memory == nullptr) return nothing(env);
  napi_value buffer;
  mapping->holders.fetch_add(1);
  const napi_status status =
      napi_create_external_arraybuffer(env, mapping->memory, mapping->length, finalize, mapping, &buffer);
  if (status == napi_ok) return buffer;
  mapping->let_go();
  bool thrown = false;
  napi_is_exception_pending(env, &thrown);
  if (thrown) {
    napi_value ignored;
    napi_get_and_clear_last_exception(env, &ignored);
  }
  return nothing(env);
}

// A block of a ring, and the memory of JavaScript's that it is copied to.
struct BlockCopy {
  tpacket_block_desc* block = nullptr;
  uint8_t* target = nullptr;
  size_t room = 0;
};

// Reads the arguments (handle, offset, target): what begins at `offset` has to be as long as the target, which has to
// hold a descriptor. Without a block something was thrown.
BlockCopy block_copy(napi_env env, napi_callback_info info, const char* name) {
  Arguments arguments(env, info);
  BlockCopy copy;
  Mapping* mapping = mapping_of(env, arguments, 0);
  if (mapping == nullptr) return copy;
  const size_t offset = static_cast<size_t>(arguments.integer(1));
  copy.target = arguments.bytes(2, &copy.room);
  if (arguments.bad()) return copy;
  if (mapping->memory == nullptr || offset > mapping->length || copy.room > mapping->length - offset ||
      copy.room < sizeof(tpacket_block_desc)) {
    throw_errno(env, name, EINVAL);
    return copy;
  }
  copy.block = reinterpret_cast<tpacket_block_desc*>(static_cast<uint8_t*>(mapping->memory) + offset);
  return copy;
}

uint32_t status_of(const tpacket_block_desc* block) {
  return __atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE);
}

// copyBlock(handle, offset, target): copies the block at `offset` when it is the user's, and gives it back to the
// kernel. False when it is still the kernel's.
napi_value copy_block(napi_env env, napi_callback_info info) {
  const auto [block, target, room] = block_copy(env, info, "copyBlock");
  if (block == nullptr) return nullptr;
  if ((status_of(block) & TP_STATUS_USER) == 0) return boolean(env, false);
  const size_t used = block->hdr.bh1.blk_len;
  memcpy(target, block, used < room ? used : room);
  __atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  return boolean(env, true);
}

// blockHead(handle, offset, target): copies the descriptor of the block at `offset`, whoever has the block now; it stays
// where it is. Status 0 while it is the kernel's.
napi_value block_head(napi_env env, napi_callback_info info) {
  const auto [block, target, room] = block_copy(env, info, "blockHead");
  if (block == nullptr) return nullptr;
  const uint32_t status = status_of(block);
  memcpy(target, block, sizeof(tpacket_block_desc));
  reinterpret_cast<tpacket_block_desc*>(target)->hdr.bh1.block_status = status;
  return nothing(env);
}

// unmapRing(handle, buffer?): the ArrayBuffer has no bytes any more.
napi_value unmap_ring(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info);
  Mapping* mapping = mapping_of(env, arguments, 0);
  if (mapping == nullptr) return nullptr;
  bool is_buffer = false;
  napi_is_arraybuffer(env, arguments.value(1), &is_buffer);
  if (is_buffer && napi_detach_arraybuffer(env, arguments.value(1)) != napi_ok)
    return throw_errno(env, "detach", EBUSY);
  mapping->unmap();
  return nothing(env);
}

}  // namespace

void define_ring(napi_env env, napi_value exports) {
  define(env, exports, "mapRing", map_ring);
  define(env, exports, "ringMemory", ring_memory);
  define(env, exports, "copyBlock", copy_block);
  define(env, exports, "blockHead", block_head);
  define(env, exports, "unmapRing", unmap_ring);
}

}  // namespace callprobe
