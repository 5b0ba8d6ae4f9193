package startlimit

const sysPrlimit64 = 302
