// The command line as a whole: finds the command word, parses, runs, and turns failures into messages and exit codes.
#pragma once

namespace compose::cli {

/// Never throws; returns the exit status.
int run(int argc, char** argv);

}  // namespace compose::cli
