-- print(...) is log(...).
return log
