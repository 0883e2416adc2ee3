// The gate as a program, for tests that are no C++: tcp_gate TARGET_PORT prints its own port, then
// obeys lines of standard input until that ends. A line is a set of faults, all others are off:
//   pass | refuse | hold | cut | delay MS | rate BYTES_PER_SECOND | corrupt EVERY | cut_after BYTES
// in any combination ("delay 50 rate 10000"); "cut" resets what is open. Each is answered "ok".
#include <iostream>
#include <sstream>
#include <string>

#include "tests/support/tcp_gate.h"

namespace {

bool obey(const std::string& line, pytoon::support::TcpGate& gate) {
  pytoon::support::GateFaults faults;
  std::istringstream words(line);
  std::string word;
  std::int64_t number = 0;
  bool cut = false;
  while (words >> word) {
    if (word == "pass") continue;
    if (word == "refuse" || word == "hold" || word == "cut") {
      (word == "refuse" ? faults.refuse : word == "hold" ? faults.hold : cut) = true;
      continue;
    }
    if (!(words >> number)) return false;
    if (word == "delay") {
      faults.delay = std::chrono::milliseconds(number);
    } else if (word == "rate") {
      faults.bytes_per_second = number;
    } else if (word == "corrupt") {
      faults.corrupt_every = number;
    } else if (word == "cut_after") {
      faults.cut_after = number;
    } else {
      return false;
    }
  }
  gate.set(faults);
  if (cut) gate.cut();
  return true;
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "usage: tcp_gate TARGET_PORT\n";
    return 2;
  }
  pytoon::support::TcpGate gate(std::stoi(words[1]));
  std::cout << gate.port() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << (obey(line, gate) ? "ok" : "not understood: " + line) << std::endl;
  }
  return 0;
}
