// A Node program that does nothing but say so: what the start of every other one is compared to.
process.stdout.write('nothing\n');
