#include "engines/comfyui/outcome.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "engines/comfyui/reply.h"

namespace pytoon::engines {
namespace {

constexpr std::size_t kMessageBytes = 300;

std::string first_line(std::string text) {
  text = text.substr(0, std::min(text.find('\n'), kMessageBytes));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = ' ';
  }
  return text;
}

bool says_out_of_memory(const std::string& type, std::string message) {
  for (char& c : message) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return type.ends_with("OutOfMemoryError") || message.find("out of memory") != std::string::npos;
}

bool is_video(const ComfyFile& file) {
  const std::string ending = std::filesystem::path(file.filename).extension().string();
  return ending == ".mp4" || ending == ".webm" || ending == ".mov" || ending == ".mkv";
}

// As a rule: a still image may be called so as well.
bool is_animation(const ComfyFile& file) {
  const std::string ending = std::filesystem::path(file.filename).extension().string();
  return ending == ".webp" || ending == ".gif" || ending == ".apng";
}

int rank(const ComfyFile& file) {
  return (is_video(file) ? 0 : is_animation(file) ? 2 : 4) + (file.type == "output" ? 0 : 1);
}

void read_files(const Json& outputs, std::vector<ComfyFile>& files) {
  if (!outputs.is_object()) return;
  for (const Json& node : outputs) {
    if (!node.is_object()) continue;
    for (const Json& list : node) {
      if (!list.is_array()) continue;
      for (const Json& item : list) {
        ComfyFile file{text_of(item, "filename"), text_of(item, "subfolder"),
                       text_of(item, "type")};
        if (!file.filename.empty()) files.push_back(std::move(file));
      }
    }
  }
  std::stable_sort(files.begin(), files.end(),
                   [](const auto& a, const auto& b) { return rank(a) < rank(b); });
}

void read_messages(const Json& status, ComfyOutcome& outcome) {
  if (!status.contains("messages") || !status["messages"].is_array()) return;
  for (const Json& message : status["messages"]) {
    if (!message.is_array() || message.size() < 2 || !message[0].is_string()) continue;
    const Json& facts = message[1];
    if (message[0] == "execution_interrupted") {
      outcome.kind = ComfyOutcome::Kind::kInterrupted;
      outcome.detail = "was interrupted";
    }
    if (message[0] == "execution_error") {
      const std::string type = text_of(facts, "exception_type");
      const std::string text = text_of(facts, "exception_message");
      const bool memory = says_out_of_memory(type, text);
      outcome.kind = memory ? ComfyOutcome::Kind::kOutOfMemory : ComfyOutcome::Kind::kFailed;
      outcome.detail = "node " + text_of(facts, "node_id") + " (" + text_of(facts, "node_type") +
                       "): " + (memory ? "out of GPU memory" : first_line(text));
    }
  }
}

}  // namespace

ComfyOutcome read_outcome(const Json& history_entry) {
  ComfyOutcome outcome;
  outcome.detail = "ended without a reason";
  if (!history_entry.is_object()) return outcome;
  const Json status = history_entry.value("status", Json::object());
  const std::string said = text_of(status, "status_str");
  if (status.is_object()) read_messages(status, outcome);
  if (said == "success") {
    outcome.kind = ComfyOutcome::Kind::kDone;
    outcome.detail.clear();
    read_files(history_entry.value("outputs", Json::object()), outcome.files);
  }
  return outcome;
}

std::string rejection_text(const Json& answer) {
  if (!answer.is_object()) return "the answer is no JSON";
  const Json errors = answer.value("node_errors", Json::object());
  if (errors.is_object()) {
    for (const auto& [id, node] : errors.items()) {
      if (!node.is_object() || !node.contains("errors") || !node["errors"].is_array()) continue;
      for (const Json& error : node["errors"]) {
        return "node " + id + " (" + text_of(node, "class_type") +
               "): " + first_line(text_of(error, "message")) + ", " +
               first_line(text_of(error, "details"));
      }
    }
  }
  const Json error = answer.value("error", Json::object());
  return first_line(error.is_string() ? error.get<std::string>() : text_of(error, "message"));
}

}  // namespace pytoon::engines
