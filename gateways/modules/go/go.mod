module prefixer

go 1.21
