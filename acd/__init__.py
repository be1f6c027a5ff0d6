"""The center: it decides who answers whom, and it is the ground floor every other room stands on."""
