// drover-cpi
