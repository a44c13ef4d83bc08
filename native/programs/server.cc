// dispatchbench-server: the native server under test. Options: servers/options.h; output: src/contract/server.ts.
#include "completion/server.h"
#include "programs/run_program.h"

int main(int argc, char** argv) {
  return programs::run_program(argc, argv, "dispatchbench-server", "native", completion::run_any);
}
