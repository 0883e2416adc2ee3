#include "server/app/complain.h"

#include <iostream>

#include "server/jobs/process_health.h"

namespace pytoon::app {

int complain(const Failure& fault) {
  std::cerr << "pytoon: " << fault.detail << "\n";
  for (const FieldFault& field : fault.faults) {
    std::cerr << "  " << field.pointer << ": " << field.detail << "\n";
  }
  if (!traits(fault.kind).process_usable) return jobs::kExitUnusable;
  return fault.kind == FailureKind::kInvalid ? 2 : 1;
}

}  // namespace pytoon::app
