#include "support.h"

#include <cstring>

namespace callprobe {

napi_value throw_errno(napi_env env, const char* syscall, int error) {
  const std::string text = std::string(syscall) + ": " + strerror(error);
  napi_value message;
  napi_value thrown;
  napi_create_string_utf8(env, text.c_str(), text.size(), &message);
  napi_create_error(env, nullptr, message, &thrown);
  set(env, thrown, "errno", static_cast<double>(error));
  set_text(env, thrown, "syscall", syscall);
  napi_throw(env, thrown);
  return nullptr;
}

napi_value throw_text(napi_env env, const char* code, const std::string& text) {
  napi_throw_error(env, code, text.c_str());
  return nullptr;
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr);
}

void Arguments::refuse(size_t at, const char* wanted) {
  if (bad_) return;
  bad_ = true;
  const std::string text = "argument " + std::to_string(at + 1) + " has to be " + wanted;
  napi_throw_type_error(env_, nullptr, text.c_str());
}

napi_value Arguments::value(size_t at) {
  return at < count_ ? values_[at] : nothing(env_);
}

int32_t Arguments::integer(size_t at) {
  double result = 0;
  if (at >= count_ || napi_get_value_double(env_, values_[at], &result) != napi_ok ||
      !(result >= INT32_MIN && result <= INT32_MAX) || result != static_cast<int32_t>(result)) {
    refuse(at, "a 32-bit integer");
    return 0;
  }
  return static_cast<int32_t>(result);
}

std::string Arguments::text(size_t at) {
  size_t length = 0;
  if (at >= count_ || napi_get_value_string_utf8(env_, values_[at], nullptr, 0, &length) != napi_ok) {
    refuse(at, "a string");
    return {};
  }
  std::string result(length, '\0');
  napi_get_value_string_utf8(env_, values_[at], &result[0], length + 1, &length);
  return result;
}

uint8_t* Arguments::bytes(size_t at, size_t* length) {
  *length = 0;
  void* data = nullptr;
  if (at < count_) {
    bool is_typed = false;
    napi_is_typedarray(env_, values_[at], &is_typed);
    if (is_typed) {
      napi_typedarray_type type;
      size_t elements;
      napi_get_typedarray_info(env_, values_[at], &type, &elements, &data, nullptr, nullptr);
      const bool wide = type == napi_int32_array || type == napi_uint32_array || type == napi_float32_array;
      const bool half = type == napi_int16_array || type == napi_uint16_array;
      const bool byte = type == napi_uint8_array || type == napi_int8_array || type == napi_uint8_clamped_array;
      *length = elements * (byte ? 1 : half ? 2 : wide ? 4 : 8);
      return static_cast<uint8_t*>(data);
    }
    bool is_buffer = false;
    napi_is_arraybuffer(env_, values_[at], &is_buffer);
    if (is_buffer) {
      napi_get_arraybuffer_info(env_, values_[at], &data, length);
      return static_cast<uint8_t*>(data);
    }
  }
  refuse(at, "a typed array");
  return nullptr;
}

napi_value number(napi_env env, double value) {
  napi_value result;
  napi_create_double(env, value, &result);
  return result;
}

napi_value boolean(napi_env env, bool value) {
  napi_value result;
  napi_get_boolean(env, value, &result);
  return result;
}

napi_value nothing(napi_env env) {
  napi_value result;
  napi_get_undefined(env, &result);
  return result;
}

napi_value object(napi_env env) {
  napi_value result;
  napi_create_object(env, &result);
  return result;
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

void set(napi_env env, napi_value object, const char* name, double value) {
  set(env, object, name, number(env, value));
}

void set_text(napi_env env, napi_value object, const char* name, const std::string& value) {
  napi_value text;
  napi_create_string_utf8(env, value.c_str(), value.size(), &text);
  set(env, object, name, text);
}

void define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  set(env, exports, name, function);
}

}  // namespace callprobe
