// dispatchbench-server: the native server under test. Options: net/options.h; output: src/contract/server.ts.
#include "net/server.h"
#include "programs/run_program.h"

int main(int argc, char** argv) { return programs::run_program(argc, argv, "native", net::run_server); }
