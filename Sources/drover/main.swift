// drover
