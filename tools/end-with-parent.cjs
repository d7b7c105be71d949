// Loaded before Azurite (node --require): ends it when the test process is gone, however that ended. The test
// holds the other end of stdin, which the operating system closes with the process.
process.stdin.on("close", () => process.exit(0));
process.stdin.resume();
