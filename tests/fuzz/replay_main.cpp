// Gives every kept input to its target once: what a run of the fuzzer found stays mended, also
// where there is no clang. usage: fuzz_corpus FOLDER, which has a folder of each target's name.
#include <filesystem>
#include <iostream>

#include "base/files.h"
#include "tests/fuzz/fuzz_targets.h"

namespace fs = std::filesystem;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_corpus FOLDER\n";
    return 2;
  }
  int status = 0;
  for (const pytoon::fuzz::Target& target : pytoon::fuzz::targets()) {
    int inputs = 0;
    const fs::path folder = fs::path(argv[1]) / target.name;
    if (fs::is_directory(folder)) {
      for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const pytoon::Result<std::string> bytes = pytoon::read_file(entry.path());
        if (!bytes) continue;
        std::cout << target.name << " " << entry.path().filename().string() << std::endl;
        target.run(*bytes);
        ++inputs;
      }
    }
    if (inputs == 0) {
      std::cerr << target.name << " has no input in " << folder << "\n";
      status = 1;
    }
  }
  return status;
}
