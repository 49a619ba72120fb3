select * from ready
