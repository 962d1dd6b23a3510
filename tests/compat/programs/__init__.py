"""The programs; `main()` runs one."""
