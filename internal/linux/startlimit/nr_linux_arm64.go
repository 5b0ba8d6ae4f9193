package startlimit

const sysPrlimit64 = 261
