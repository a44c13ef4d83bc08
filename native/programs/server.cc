// dispatchbench-server: the native server under test. Options: net/options.h; output: src/contract/server.ts.
#include "programs/run_program.h"
#include "servers/server.h"

int main(int argc, char** argv) {
  return programs::run_program(argc, argv, "dispatchbench-server", "native", servers::run_server);
}
