// A URL taken apart, of any scheme, by libcurl's parser (RFC 3986). What its parts mean, and which
// of them are allowed, is for whoever asks.
//
// Thread rule: pure functions; none resolves a name.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace pytoon {

// Parts as they are written: percent-encoding is left alone. Numbers of any spelling in place of a
// host are dotted quads.
struct UrlParts {
  std::string text;    // the whole, normalised
  std::string scheme;  // lower case
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::string host;                 // without brackets
  std::optional<std::string> zone;  // of a link-local address
  std::string port;                 // "" when none is written
  std::string path;                 // "/" at least
  std::optional<std::string> query;
  std::optional<std::string> fragment;
};

// kInvalid for what is no URL with a scheme and a host. The detail does not repeat the URL: it may
// hold a password.
Result<UrlParts> split_url(const std::string& url);
// A link found in a document that came from `base`: absolute, or relative to it.
Result<UrlParts> resolve_url(const std::string& base, const std::string& link);

}  // namespace pytoon
