// What every file of the binding needs: arguments out of JavaScript, values and errors into it.
#pragma once

#define NAPI_VERSION 8
#include <node_api.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace callprobe {

// Throws `Error: SYSCALL: TEXT` with the properties errno (positive) and syscall. Returns nullptr for `return`.
napi_value throw_errno(napi_env env, const char* syscall, int error);
// Throws a plain error with a code.
napi_value throw_text(napi_env env, const char* code, const std::string& text);

// The arguments of one call. A getter that meets another type throws a TypeError and sets `bad`.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);
  int32_t integer(size_t at);
  std::string text(size_t at);
  // Bytes of a typed array or ArrayBuffer. The memory stays JavaScript's.
  uint8_t* bytes(size_t at, size_t* length);
  napi_value value(size_t at);
  bool bad() const { return bad_; }

 private:
  void refuse(size_t at, const char* wanted);
  napi_env env_;
  napi_value values_[8];
  size_t count_ = 8;
  bool bad_ = false;
};

napi_value number(napi_env env, double value);
napi_value boolean(napi_env env, bool value);
napi_value nothing(napi_env env);
napi_value object(napi_env env);
void set(napi_env env, napi_value object, const char* name, napi_value value);
void set(napi_env env, napi_value object, const char* name, double value);
void set_text(napi_env env, napi_value object, const char* name, const std::string& value);

// Adds a function to the module's exports.
void define(napi_env env, napi_value exports, const char* name, napi_callback callback);

// Each file adds its functions.
void define_socket(napi_env env, napi_value exports);
void define_ring(napi_env env, napi_value exports);
void define_filter(napi_env env, napi_value exports);
void define_interface(napi_env env, napi_value exports);
void define_process(napi_env env, napi_value exports);

}  // namespace callprobe
