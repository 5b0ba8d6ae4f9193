// This file lets a function have no body: rawSyscall6 is linked by name.
