"""Files as tables, as Hive's SerDes read and write them."""
